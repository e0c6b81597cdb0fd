import { dynamoDbClient } from './adapters/dynamodb/dynamodb-client.ts';
import { dynamoDbLedgerStore } from './adapters/dynamodb/dynamodb-ledger-store.ts';
import { watchRejections } from './adapters/system/handler-scope.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { systemEntropy } from './adapters/system/system-entropy.ts';
import { loadedTracer } from './adapters/telemetry/loaded-tracer.ts';
import { powertoolsTelemetry } from './adapters/telemetry/powertools-telemetry.ts';
import type { KafkaPorts } from './connect-kafka.ts';
import type { Connection } from './connection.ts';
import { readThrown } from './decide/thrown.ts';
import { readEnvironment } from './environment.ts';
import { LockstepError } from './errors.ts';
import { findBrokers } from './find-brokers.ts';
import { loadOnce } from './load-once.ts';
import type { EpochMs } from './record/units.ts';
import { Sandbox } from './runtime/sandbox.ts';

/**
 * Connects a deployed function. What only letters and produced records need (the Kafka client, its authentication, the SQS
 * client) is loaded with the first of them, the store of idempotency keys with the first of those, so that a cold start does not pay for it.
 *
 * @throws LockstepError ENVIRONMENT_INVALID
 */
export async function connect(): Promise<Connection> {
  const environment = readEnvironment(process.env);
  const telemetry = powertoolsTelemetry(environment);
  const store = { client: dynamoDbClient(), table: environment.ledgerTable };
  const tracer = await loadedTracer();
  const handlerScope = watchRejections((reason, records) => {
    telemetry.log.error('a promise that a handler started and nobody awaited was rejected', {
      records: records.map(({ position }) => position).slice(0, 5),
      error: readThrown(reason).name,
    });
    return false;
  });
  let connected: KafkaPorts | undefined;
  const kafka = loadOnce(async () => {
    const [{ connectKafka }, brokers] = await Promise.all([import('./connect-kafka.ts'), findBrokers(environment)]);
    connected = connectKafka({ environment, brokers, clock: systemClock, log: telemetry.log });
    return connected;
  });
  const fallback = loadOnce(async () => {
    const { sqsFallbackQueue } = await import('./adapters/sqs/sqs-fallback-queue.ts');
    return sqsFallbackQueue({ queueUrl: environment.fallbackQueueUrl, secret: askSecret });
  });
  const secret = loadOnce(async () => {
    const { dynamoDbStackSecret } = await import('./adapters/dynamodb/dynamodb-stack-secret.ts');
    return dynamoDbStackSecret(store);
  });
  const askSecret = async () => (await secret())();
  const keys = loadOnce(async () => {
    const { dynamoDbKeyStore } = await import('./adapters/dynamodb/dynamodb-key-store.ts');
    return dynamoDbKeyStore({ ...store, clock: systemClock });
  });
  const parkedKeys = loadOnce(async () => {
    const { dynamoDbParkedKeys } = await import('./adapters/dynamodb/dynamodb-parked-keys.ts');
    return dynamoDbParkedKeys({ ...store, clock: systemClock });
  });
  return {
    environment,
    deployment: environment,
    ports: {
      ledger: dynamoDbLedgerStore(store),
      keys: {
        claim: async (requests) => (await keys()).claim(requests),
        complete: async (completions) => (await keys()).complete(completions),
        giveBack: async (returns) => (await keys()).giveBack(returns),
      },
      parkedKeys: {
        look: async (partition, names) => (await parkedKeys()).look(partition, names),
        list: async (partition) => (await parkedKeys()).list(partition),
        read: async (partition) => (await parkedKeys()).read(partition),
        claim: async (request) => (await parkedKeys()).claim(request),
      },
      letters: {
        publish: async (letter, giveUpAt) => (await inTime(kafka(), giveUpAt)).letters.publish(letter, giveUpAt),
        disconnect: async () => connected?.letters.disconnect(),
      },
      fallback: { send: async (entry) => (await fallback()).send(entry) },
      producer: {
        produce: async (records, giveUpAt) => (await inTime(kafka(), giveUpAt)).producer.produce(records, giveUpAt),
      },
      ...(environment.valuesDecodedByMapping && {
        originals: {
          read: async (position, giveUpAt) => (await inTime(kafka(), giveUpAt)).originals.read(position, giveUpAt),
          disconnect: async () => connected?.originals.disconnect(),
        },
      }),
      secret: askSecret,
      clock: systemClock,
      entropy: systemEntropy,
      telemetry,
      sandbox: new Sandbox(),
      handlerScope,
      ...(tracer !== undefined && { tracer }),
      endProcess: () => process.exit(1),
      group: environment.consumerGroup,
      ...(environment.commandTarget !== undefined && { commandTarget: environment.commandTarget }),
    },
    begin: (context) => telemetry.begin(context),
    flush: () => telemetry.flush(),
  };
}

/** Asking for the brokers takes as long as MSK does: whoever waits has no more time than it was given. @throws LockstepError BROKER_UNREACHABLE */
async function inTime(kafka: Promise<KafkaPorts>, giveUpAt: EpochMs): Promise<KafkaPorts> {
  const timer = new AbortController();
  const late = async () => {
    await systemClock.sleep(Math.max(0, giveUpAt - systemClock.now()), timer.signal);
    throw new LockstepError('BROKER_UNREACHABLE', 'MSK did not name the brokers in time');
  };
  try {
    return await Promise.race([kafka, late()]);
  } finally {
    timer.abort();
  }
}
