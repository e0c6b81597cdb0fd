import { systemClock } from '../../../shared/adapters/system/system-clock.ts';
import { systemEntropy } from '../../../shared/adapters/system/system-entropy.ts';
import { powertoolsTelemetry } from '../../../shared/adapters/telemetry/powertools-telemetry.ts';
import type { Connection } from '../../../shared/connection.ts';
import type { PartitionItem } from '../../../shared/decide/progress.ts';
import { readEnvironment } from '../../../shared/environment.ts';
import type { IdempotencyKeyStore } from '../../../shared/ports/idempotency-key-store.ts';
import type { LedgerStore } from '../../../shared/ports/ledger-store.ts';
import type { LedgerPartition } from '../../../shared/record/item-identifier.ts';
import { Sandbox } from '../../../shared/runtime/sandbox.ts';
import { fakeIdempotencyKeyStore } from '../../../shared/testing/fake-idempotency-key-store.ts';
import { fakeLedgerStore } from '../../../shared/testing/fake-ledger-store.ts';
import { fakeStackSecret } from '../../../shared/testing/fake-stack-secret.ts';
import { latency } from '../common/latency.ts';

/** A connection, and a way to say what its ledger holds. */
export interface ConnectionInMemory extends Connection {
  place(partition: LedgerPartition, item: PartitionItem): void;
}

/** The ports of a consumer with a ledger in memory, whose requests take at least this long. */
export function connectionInMemory(latencyMs: number): ConnectionInMemory {
  const environment = readEnvironment(process.env);
  const telemetry = powertoolsTelemetry(environment);
  const keys = fakeIdempotencyKeyStore();
  const ledger = fakeLedgerStore({ keys });
  const wait = latency(latencyMs);
  const refused = async () => {
    throw new Error('a benchmark sends no letters');
  };
  return {
    environment,
    deployment: environment,
    ports: {
      ledger: slowLedger(ledger, wait),
      parkedKeys: ledger.parkedKeys,
      keys: slowKeys(keys, wait),
      letters: { publish: refused, disconnect: async () => undefined },
      fallback: { send: refused },
      producer: { produce: refused },
      clock: systemClock,
      secret: fakeStackSecret,
      entropy: systemEntropy,
      telemetry,
      sandbox: new Sandbox(),
      endProcess: () => process.exit(1),
      group: environment.consumerGroup,
    },
    begin: (context) => telemetry.begin(context),
    flush: () => telemetry.flush(),
    place: ledger.place,
  };
}

function slowLedger(ledger: LedgerStore, wait: () => Promise<void> | undefined): LedgerStore {
  return {
    claim: async (request) => {
      await wait();
      return ledger.claim(request);
    },
    write: async (request) => {
      await wait();
      return ledger.write(request);
    },
    read: async (partition) => {
      await wait();
      return ledger.read(partition);
    },
  };
}

function slowKeys(keys: IdempotencyKeyStore, wait: () => Promise<void> | undefined): IdempotencyKeyStore {
  return {
    claim: async (requests) => {
      await wait();
      return keys.claim(requests);
    },
    complete: async (completions) => {
      await wait();
      return keys.complete(completions);
    },
    giveBack: async (returns) => {
      await wait();
      return keys.giveBack(returns);
    },
  };
}
