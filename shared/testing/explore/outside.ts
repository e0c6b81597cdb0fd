import type { DeadLetter } from '../../ports/dead-letter-publisher.ts';
import type { OutgoingRecord } from '../../ports/record-producer.ts';
import { positionName } from '../../record/item-identifier.ts';
import type { Ports } from '../../runtime/consumer.ts';
import { fakeIdempotencyKeyStore } from '../fake-idempotency-key-store.ts';
import { type FakeLedgerOptions, fakeLedgerStore } from '../fake-ledger-store.ts';
import { fakeStackSecret } from '../fake-stack-secret.ts';
import type { Life } from './life.ts';
import type { Seen } from './scenario.ts';

/**
 * Everything besides the user's world that outlives the processes of a run: ledger, idempotency keys, dead letters and produced
 * records.
 */
export class Outside {
  readonly letters: DeadLetter[] = [];
  readonly #produced = new Map<string, OutgoingRecord>();
  readonly #keys = fakeIdempotencyKeyStore();
  readonly #ledger: ReturnType<typeof fakeLedgerStore>;
  #claims = 0;

  constructor(refuseEffect: FakeLedgerOptions['refuseEffect']) {
    this.#ledger = fakeLedgerStore({ keys: this.#keys, ...(refuseEffect !== undefined && { refuseEffect }) });
  }

  get seen(): Seen {
    return {
      effects: [...this.#ledger.effects],
      produced: [...this.#produced.values()],
      deadLettered: deadLettered(this.letters),
    };
  }

  /** The ports of one process. Each request is a point at which it may die. */
  ports(life: Life, handlerScope: NonNullable<Ports['handlerScope']>): Ports {
    const { host } = life;
    const ask = <T>(name: string, perform: () => Promise<T>) => life.request(name, perform);
    const silent = () => undefined;
    return {
      ledger: {
        claim: (request) => ask('it claims the partition', () => this.#ledger.claim(request)),
        write: (request) => ask('its progress is recorded', () => this.#ledger.write(request)),
        read: (partition) => this.#ledger.read(partition),
      },
      keys: {
        claim: (wanted) => ask('it claims idempotency keys', () => this.#keys.claim(wanted)),
        complete: (done) => ask('its idempotency keys are completed', () => this.#keys.complete(done)),
        giveBack: (returned) => ask('it gives idempotency keys back', () => this.#keys.giveBack(returned)),
      },
      parkedKeys: {
        ...this.#ledger.parkedKeys,
        claim: (request) => ask('it claims a parked key', () => this.#ledger.parkedKeys.claim(request)),
      },
      letters: {
        publish: (letter) => ask('its dead letter is written', async () => void this.letters.push(letter)),
        disconnect: async () => undefined,
      },
      fallback: { send: async () => undefined },
      producer: { produce: (outgoing) => ask('its records are produced', async () => this.#produce(outgoing)) },
      secret: fakeStackSecret,
      clock: host.clock,
      entropy: { random: () => 0.5, id: () => `claim-${++this.#claims}` },
      telemetry: { log: { debug: silent, info: silent, warn: silent, error: silent }, count: silent },
      sandbox: host.sandbox,
      handlerScope,
      endProcess: () => host.die('its handler never ended'),
      group: 'explore',
    };
  }

  #produce(outgoing: readonly OutgoingRecord[]): void {
    for (const record of outgoing) {
      const id = record.headers.find(({ name }) => name === 'x-lockstep-id')?.value.toString() ?? '';
      if (!this.#produced.has(id)) this.#produced.set(id, record);
    }
  }
}

/** Positions of the records that have a dead letter. */
export function deadLettered(letters: readonly DeadLetter[]): readonly string[] {
  return [...new Set(letters.map(({ origin }) => positionName(origin)))].sort();
}
