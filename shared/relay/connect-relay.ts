import { dynamoDbClient } from '../adapters/dynamodb/dynamodb-client.ts';
import { dynamoDbKeyStore } from '../adapters/dynamodb/dynamodb-key-store.ts';
import { dynamoDbLedgerStore } from '../adapters/dynamodb/dynamodb-ledger-store.ts';
import { dynamoDbParkedKeys } from '../adapters/dynamodb/dynamodb-parked-keys.ts';
import { dynamoDbStackSecret } from '../adapters/dynamodb/dynamodb-stack-secret.ts';
import { authenticationOf } from '../adapters/kafka/kafka-security.ts';
import { kafkaJsTopicLog } from '../adapters/kafka/kafkajs-topic-log.ts';
import { releaseInvoker } from '../adapters/lambda/release-invoker.ts';
import { sqsFallbackQueue } from '../adapters/sqs/sqs-fallback-queue.ts';
import { sqsParking } from '../adapters/sqs/sqs-parking.ts';
import { systemClock } from '../adapters/system/system-clock.ts';
import { systemEntropy } from '../adapters/system/system-entropy.ts';
import { powertoolsTelemetry } from '../adapters/telemetry/powertools-telemetry.ts';
import { connectKafka } from '../connect-kafka.ts';
import { DEFAULT_PARK_LIMITS } from '../decide/parking.ts';
import { type ConsumerEnvironment, readEnvironment } from '../environment.ts';
import { findBrokers } from '../find-brokers.ts';
import { DEFAULTS } from '../options.ts';
import { clusterUuid } from '../record/item-identifier.ts';
import type { RelayConnection } from './relay-connection.ts';
import type { RelayPolicy } from './relay-ports.ts';

const ONE_DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * Connects the deployed relay. @throws LockstepError ENVIRONMENT_INVALID, or BROKER_UNREACHABLE where MSK does not name the
 * brokers
 */
export async function connectRelay(policy: Partial<RelayPolicy> = {}): Promise<RelayConnection> {
  const environment = readEnvironment(process.env);
  const telemetry = powertoolsTelemetry(environment);
  const brokers = await findBrokers(environment);
  const { log } = telemetry;
  const store = { client: dynamoDbClient(), table: environment.ledgerTable };
  const secret = dynamoDbStackSecret(store);
  const { letters } = connectKafka({ environment, brokers, clock: systemClock, log });
  return {
    telemetry,
    policy: relayPolicy(environment, policy),
    parking: sqsParking(environment.fallbackQueueUrl),
    ports: {
      ledger: dynamoDbLedgerStore(store),
      parkedKeys: dynamoDbParkedKeys({ ...store, clock: systemClock }),
      keys: dynamoDbKeyStore({ ...store, clock: systemClock }),
      letters,
      fallback: sqsFallbackQueue({ queueUrl: environment.fallbackQueueUrl, secret }),
      log: kafkaJsTopicLog({
        brokers: () => brokers,
        authentication: authenticationOf(environment),
        clock: systemClock,
        log,
      }),
      secret,
      clock: systemClock,
      entropy: systemEntropy,
      telemetry,
      cluster: clusterUuid(environment.eventSourceArn),
      group: environment.consumerGroup,
      topic: environment.topic,
      deadLetterTopic: environment.deadLetterTopic,
      ...(environment.releaseEveryMs !== undefined && { release: releaseInvoker(environment.consumerFunction ?? '') }),
    },
  };
}

/** The consumer's defaults, then the handler's options that the construct was told, then the relay's own options. */
export function relayPolicy(
  environment: Pick<ConsumerEnvironment, 'maxAttempts' | 'maxInterruptions' | 'valuesDecodedByMapping'> &
    Partial<Pick<ConsumerEnvironment, 'onExhausted' | 'releaseEveryMs' | 'releaseMaxRounds'>>,
  own: Partial<RelayPolicy> = {},
): RelayPolicy {
  const { maxAttempts, maxInterruptions, valuesDecodedByMapping, onExhausted, releaseEveryMs } = environment;
  return {
    onReplay: 'halt',
    missingRecordTimeoutMs: DEFAULTS.missingRecordTimeoutMs,
    leaseMs: DEFAULTS.leaseMs,
    checkpointMs: DEFAULTS.checkpointMs,
    busyWaitMs: DEFAULTS.busyWaitMs,
    deadLetterHeaders: [],
    maxDeadLetterBytes: DEFAULTS.maxDeadLetterBytes,
    maxAttempts,
    valuesDecodedByMapping,
    ...(onExhausted === 'park' && { park: DEFAULT_PARK_LIMITS }),
    ...(releaseEveryMs !== undefined && {
      release: {
        everyMs: releaseEveryMs,
        maxEveryMs: ONE_DAY_MS,
        maxRounds: environment.releaseMaxRounds ?? 1,
        maxInterruptions,
      },
    }),
    ...own,
  };
}
