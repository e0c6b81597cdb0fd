import { dynamoDbClient } from './adapters/dynamodb-client.ts';
import { dynamoDbLedgerStore } from './adapters/dynamodb-ledger-store.ts';
import { loadedTracer } from './adapters/loaded-tracer.ts';
import { powertoolsTelemetry } from './adapters/powertools-telemetry.ts';
import { systemClock } from './adapters/system-clock.ts';
import { systemEntropy } from './adapters/system-entropy.ts';
import type { KafkaPorts } from './connect-kafka.ts';
import type { Connection } from './connection.ts';
import { readEnvironment } from './environment.ts';
import type { IdempotencyKeyStore } from './ports/idempotency-key-store.ts';
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
  let brokers = '';
  let loaded: Promise<KafkaPorts> | undefined;
  const kafka = () => {
    loaded ??= import('./connect-kafka.ts')
      .then(({ connectKafka }) =>
        connectKafka({ environment, brokers: () => brokers, clock: systemClock, log: telemetry.log }),
      )
      .catch((error: unknown) => {
        // The next letter tries again; and there is nothing to disconnect.
        loaded = undefined;
        throw error;
      });
    return loaded;
  };
  let keyStore: Promise<IdempotencyKeyStore> | undefined;
  const keys = () => {
    keyStore ??= import('./adapters/dynamodb-key-store.ts')
      .then(({ dynamoDbKeyStore }) => dynamoDbKeyStore({ ...store, clock: systemClock }))
      .catch((error: unknown) => {
        keyStore = undefined;
        throw error;
      });
    return keyStore;
  };
  return {
    environment,
    ports: {
      ledger: dynamoDbLedgerStore(store),
      keys: {
        lookUp: async (wanted) => (await keys()).lookUp(wanted),
        claim: async (request) => (await keys()).claim(request),
        complete: async (key, item) => (await keys()).complete(key, item),
        giveBack: async (key, holder) => (await keys()).giveBack(key, holder),
      },
      letters: {
        publish: async (letter, giveUpAt) => (await kafka()).letters.publish(letter, giveUpAt),
        disconnect: async () => (await loaded)?.letters.disconnect(),
      },
      fallback: { send: async (entry) => (await kafka()).fallback.send(entry) },
      producer: { produce: async (records, giveUpAt) => (await kafka()).producer.produce(records, giveUpAt) },
      ...(environment.valuesDecodedByMapping && {
        originals: {
          read: async (position, giveUpAt) => (await kafka()).originals.read(position, giveUpAt),
          disconnect: async () => (await loaded)?.originals.disconnect(),
        },
      }),
      clock: systemClock,
      entropy: systemEntropy,
      telemetry,
      sandbox: new Sandbox(),
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
