import { dynamoDbClient } from './adapters/dynamodb/dynamodb-client.ts';
import { dynamoDbLedgerStore } from './adapters/dynamodb/dynamodb-ledger-store.ts';
import { watchRejections } from './adapters/system/handler-scope.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { systemEntropy } from './adapters/system/system-entropy.ts';
import { loadedTracer } from './adapters/telemetry/loaded-tracer.ts';
import { powertoolsTelemetry } from './adapters/telemetry/powertools-telemetry.ts';
import type { Connection } from './connection.ts';
import { readThrown } from './decide/thrown.ts';
import { readEnvironment } from './environment.ts';
import { loadOnce } from './load-once.ts';
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
  let brokers = '';
  const kafka = loadOnce(async () => {
    const { connectKafka } = await import('./connect-kafka.ts');
    return connectKafka({ environment, brokers: () => brokers, clock: systemClock, log: telemetry.log });
  });
  const keys = loadOnce(async () => {
    const { dynamoDbKeyStore } = await import('./adapters/dynamodb/dynamodb-key-store.ts');
    return dynamoDbKeyStore({ ...store, clock: systemClock });
  });
  return {
    environment,
    ports: {
      ledger: dynamoDbLedgerStore(store),
      keys: {
        claim: async (requests) => (await keys.get()).claim(requests),
        complete: async (completions) => (await keys.get()).complete(completions),
        giveBack: async (returns) => (await keys.get()).giveBack(returns),
      },
      letters: {
        publish: async (letter, giveUpAt) => (await kafka.get()).letters.publish(letter, giveUpAt),
        disconnect: async () => (await kafka.loaded)?.letters.disconnect(),
      },
      fallback: { send: async (entry) => (await kafka.get()).fallback.send(entry) },
      producer: { produce: async (records, giveUpAt) => (await kafka.get()).producer.produce(records, giveUpAt) },
      ...(environment.valuesDecodedByMapping && {
        originals: {
          read: async (position, giveUpAt) => (await kafka.get()).originals.read(position, giveUpAt),
          disconnect: async () => (await kafka.loaded)?.originals.disconnect(),
        },
      }),
      clock: systemClock,
      entropy: systemEntropy,
      telemetry,
      sandbox: new Sandbox(),
      handlerScope,
      ...(tracer !== undefined && { tracer }),
      endProcess: () => process.exit(1),
      group: environment.consumerGroup,
    },
    begin: (context) => telemetry.begin(context),
    useBrokers: (bootstrapServers) => {
      brokers = bootstrapServers;
    },
    flush: () => telemetry.flush(),
  };
}
