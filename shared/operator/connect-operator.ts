import { dynamoDbClient } from '../adapters/dynamodb/dynamodb-client.ts';
import { dynamoDbParkedKeys } from '../adapters/dynamodb/dynamodb-parked-keys.ts';
import { dynamoDbStackSecret } from '../adapters/dynamodb/dynamodb-stack-secret.ts';
import type { KafkaConnectionOptions } from '../adapters/kafka/kafka-connection.ts';
import { authenticationOf } from '../adapters/kafka/kafka-security.ts';
import { kafkaJsTopicLog } from '../adapters/kafka/kafkajs-topic-log.ts';
import { kafkaJsTransactions } from '../adapters/kafka/kafkajs-transactions.ts';
import { releaseInvoker } from '../adapters/lambda/release-invoker.ts';
import { systemClock } from '../adapters/system/system-clock.ts';
import { powertoolsTelemetry } from '../adapters/telemetry/powertools-telemetry.ts';
import { readEnvironment } from '../environment.ts';
import { findBrokers } from '../find-brokers.ts';
import type { StackSecret } from '../ports/stack-secret.ts';
import { clusterUuid } from '../record/item-identifier.ts';
import type { OperatorConnection } from './lockstep-operator.ts';
import type { OperatorPorts } from './operate.ts';
import { redriveTransactionalId } from './transactional-id.ts';

/** Milliseconds that one answer of a broker may take. A redrive has time. */
const REQUEST_TIMEOUT_MS = 30_000;

/** A consumer's topics. */
export interface OperatedTopics {
  readonly topic: string;
  readonly deadLetterTopic: string;
  readonly group: string;
  /** As the ledger's keys have it. */
  readonly cluster: string;
}

/** What a release needs beside the topics. */
export type ReleasePorts = Pick<OperatorPorts, 'parkedKeys' | 'invoke'>;

/** Reaches a consumer's topics. Connects on first use. */
export function operatorPorts(
  topics: OperatedTopics,
  connection: KafkaConnectionOptions,
  secret: StackSecret,
  release: ReleasePorts,
): OperatorPorts {
  const options = { ...connection, requestTimeoutMs: REQUEST_TIMEOUT_MS, clientId: 'lockstep-operator' };
  return {
    ...topics,
    ...release,
    secret,
    log: kafkaJsTopicLog(options),
    transactions: kafkaJsTransactions(options, redriveTransactionalId(topics)),
    clock: systemClock,
  };
}

/** Connects the deployed operator function. @throws LockstepError ENVIRONMENT_INVALID, BROKER_UNREACHABLE */
export async function connectOperator(): Promise<OperatorConnection> {
  const environment = readEnvironment(process.env);
  const { topic, deadLetterTopic, consumerGroup: group } = environment;
  const telemetry = powertoolsTelemetry(environment);
  const brokers = await findBrokers(environment);
  const store = { client: dynamoDbClient(), table: environment.ledgerTable };
  return {
    begin: (context) => telemetry.begin(context),
    ports: operatorPorts(
      { topic, deadLetterTopic, group, cluster: clusterUuid(environment.eventSourceArn) },
      {
        brokers: () => brokers,
        authentication: authenticationOf(environment),
        clock: systemClock,
        log: telemetry.log,
      },
      dynamoDbStackSecret(store),
      {
        parkedKeys: dynamoDbParkedKeys({ ...store, clock: systemClock }),
        invoke: releaseInvoker(environment.consumerFunction ?? ''),
      },
    ),
  };
}
