import type { Context } from 'aws-lambda';
import { watchRejections } from '../adapters/system/handler-scope.ts';
import type { Connection } from '../connection.ts';
import type { KafkaBatchResponse } from '../decide/batch-response.ts';
import { readParked } from '../decide/letter-headers.ts';
import { LockstepError } from '../errors.ts';
import type { DeadLetter } from '../ports/dead-letter-publisher.ts';
import type { FallbackEntry } from '../ports/fallback-queue.ts';
import type { WriteAnswer, WriteRequest } from '../ports/ledger-store.ts';
import type { OutgoingRecord } from '../ports/record-producer.ts';
import type { LogFields } from '../ports/telemetry.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { type LedgerPartition, partitionName, positionName } from '../record/item-identifier.ts';
import { type ReleaseEvent, releasedLetter } from '../release/release-event.ts';
import type { Outcome } from '../runtime/outcome.ts';
import { Crashes } from './crashes.ts';
import type { Delivery, DeliveryFaults } from './delivery.ts';
import { failAfterDeath } from './fail-after-death.ts';
import { fakeIdempotencyKeyStore } from './fake-idempotency-key-store.ts';
import { type FakeLedgerStore, fakeLedgerStore } from './fake-ledger-store.ts';
import { fakeStackSecret } from './fake-stack-secret.ts';
import { tellEnd } from './handler-end.ts';
import { HoldingSandbox } from './holding-sandbox.ts';
import { lambdaContext } from './lambda-context.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Everything that outlives a process: the table, the topics and the queue, and what the delivery remembers. */
export class DeliveryWorld {
  readonly clock = new VirtualClock();
  readonly answers: (KafkaBatchResponse | undefined)[] = [];
  death = Promise.withResolvers<undefined>();
  readonly #faults: DeliveryFaults;
  readonly #crashes: Crashes;
  readonly #keys = fakeIdempotencyKeyStore();
  readonly #ledger: FakeLedgerStore;
  /** Partitions that were claimed. */
  readonly #places = new Map<string, LedgerPartition>();
  readonly #produceErrors: Error[];
  #loseAnswers: number;
  #transactions = 0;
  readonly #outcomes: Record<string, Outcome['type']> = {};
  readonly #letters: DeadLetter[] = [];
  readonly #fallback: FallbackEntry[] = [];
  readonly #produced: OutgoingRecord[] = [];
  readonly #logs: Delivery['logs'][number][] = [];
  readonly #metrics: Record<string, number> = {};
  #refuseDeadLetters: number;
  #refuseFallback: number;
  #runs = 0;
  /** Records whose handler has done its work, by position. */
  readonly #worked = new Set<string>();
  #process: HoldingSandbox | undefined;
  /** An error that fails the test, whatever became of the records. */
  failure: { readonly error: unknown } | undefined;
  readonly #scope = watchRejections((reason, records) => this.#abandoned(reason, records));
  #invocations = 0;

  constructor(faults: DeliveryFaults) {
    this.#faults = faults;
    this.#crashes = new Crashes(faults.crash);
    this.#ledger = fakeLedgerStore({
      keys: this.#keys,
      ...(faults.refuseEffect !== undefined && { refuseEffect: faults.refuseEffect }),
      onChange: (place, __, { progress }) => {
        this.#places.set(partitionName(place), place);
        faults.onProgress?.(progress);
      },
    });
    this.#produceErrors = [...(faults.failProduce ?? [])];
    this.#loseAnswers = faults.loseTransactionAnswers ?? 0;
    this.#refuseDeadLetters = faults.refuseDeadLetters ?? 0;
    this.#refuseFallback = faults.refuseFallback ?? 0;
  }

  /** A new process with the same table and the same topics. */
  newProcess(): Connection {
    this.#process?.abandon();
    const death = Promise.withResolvers<undefined>();
    this.death = death;
    let alive = true;
    const die = () => {
      alive = false;
      death.resolve(undefined);
    };
    const sandbox = new HoldingSandbox(this.clock);
    this.#process = sandbox;
    const log = (level: string) => (text: string, fields?: LogFields) => {
      this.#logs.push({ level, text, fields });
      if (isContextEnded(fields?.['error'])) this.failure ??= { error: fields?.['error'] };
    };
    const living = <T extends object>(port: T) => failAfterDeath(port, () => alive);
    return {
      environment: { consumerGroup: 'deliver', failureMode: 'report' },
      deployment: undefined,
      ports: {
        ledger: living({ ...this.#ledger, write: (request) => this.#write(request) }),
        parkedKeys: living(this.#ledger.parkedKeys),
        keys: living(this.#keys),
        letters: living({
          publish: async (letter: DeadLetter) => this.#publish(letter),
          disconnect: async () => undefined,
        }),
        fallback: living({ send: async (entry: FallbackEntry) => this.#park(entry) }),
        producer: living({
          produce: async (outgoing: readonly OutgoingRecord[]) => this.#produce(outgoing),
        }),
        secret: fakeStackSecret,
        clock: living(this.clock),
        entropy: { random: () => 0.5, id: () => `invocation-${++this.#invocations}` },
        telemetry: {
          log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
          count: (metric, value = 1) => {
            const known = this.#metrics[metric] ?? 0;
            this.#metrics[metric] = metric.endsWith('Ms') ? Math.max(known, value) : known + value;
          },
        },
        sandbox,
        handlerScope: { run: (records, call) => this.#handle(records, call, die) },
        endProcess: die,
        group: 'deliver',
      },
      begin: () => undefined,
      ended: (reports) => {
        for (const { delivered, outcomes } of reports) {
          for (const { offset, position } of delivered.records) {
            const outcome = outcomes.get(offset);
            // A settled record that comes back as a duplicate keeps its first outcome.
            if (outcome === undefined) continue;
            if (outcome.type !== 'duplicate') this.#outcomes[position] = outcome.type;
            else if (!isSettled(this.#outcomes[position])) this.#outcomes[position] = this.#settledAs(position);
          }
        }
      },
      flush: () => undefined,
    };
  }

  get timeoutMs(): number {
    return this.#faults.timeoutMs ?? 60_000;
  }

  context(): Context {
    const deadline = this.clock.now() + this.timeoutMs;
    return lambdaContext('deliver', `request-${this.answers.length + 1}`, () => deadline - this.clock.now());
  }

  /** What would release each parked key now. */
  async releaseEvents(): Promise<readonly ReleaseEvent[]> {
    return [...this.#places.values()].flatMap((place) =>
      this.#ledger.peekParkedNames(place).map((parkedKey, index): ReleaseEvent => {
        const { cluster, topic, partition } = place;
        const sequence = this.#ledger.peekParked(place)[index]?.sequence ?? '';
        const letters = this.#letters
          .filter(({ headers }) => readParked(headers)?.sequence === sequence)
          .map((letter, offset) => releasedLetter({ ...letter, partition, offset }));
        return { lockstep: 'release', cluster, topic, partition, parkedKey, sequence, letters };
      }),
    );
  }

  /** Ends everything: nothing is left behind in the test's process. */
  close(): void {
    this.#scope.close();
    this.#process?.abandon();
  }

  /** How a record was settled by an invocation that died before it reported that. */
  #settledAs(position: string): Outcome['type'] {
    const hasLetter = ({ origin }: DeadLetter) => positionName(origin) === position;
    const isParked = (entry: FallbackEntry) => entry.type === 'letter' && hasLetter(entry.letter);
    if (this.#letters.some(hasLetter) || this.#fallback.some(isParked)) return 'deadLettered';
    return this.#worked.has(position) ? 'handled' : 'duplicate';
  }

  /** Calls the handler, and ends its process where the test asked for a crash. */
  #handle(records: readonly DeliveredRecord[], call: () => unknown, die: () => void): unknown {
    const positions = records.map(({ position }) => position);
    if (this.#crashes.before(positions)) {
      die();
      throw new Error('the process has died');
    }
    const ended = (succeeded: boolean) => {
      if (succeeded) for (const position of positions) this.#worked.add(position);
      const dies = this.#crashes.afterRun(++this.#runs);
      if ((succeeded && this.#crashes.after(positions)) || dies) die();
    };
    return tellEnd(() => this.#scope.run(records, call), ended);
  }

  #abandoned(reason: unknown, [first]: readonly DeliveredRecord[]): boolean {
    const text = `a promise that the handler of ${first?.position} started and nobody awaited was rejected`;
    this.#logs.push({ level: 'error', text, fields: { error: reason } });
    this.failure ??= { error: new Error(text, { cause: reason }) };
    return true;
  }

  /** @throws Error for a crash that did not happen: the test would prove nothing */
  checkCrashes(): void {
    const [left] = this.#crashes.left();
    if (left !== undefined) throw new Error(`the process was to die ${left}, and that never happened`);
  }

  /** The state of the delivery so far. */
  delivery(): Delivery {
    return {
      outcomes: { ...this.#outcomes },
      deadLetters: [...this.#letters],
      fallback: [...this.#fallback],
      effects: [...this.#ledger.effects],
      transactions: this.#transactions,
      produced: [...this.#produced],
      answers: [...this.answers],
      logs: [...this.#logs],
      metrics: { ...this.#metrics },
    };
  }

  async #write(request: WriteRequest): Promise<WriteAnswer> {
    const answer = await this.#ledger.write(request);
    if (request.effects === undefined || answer.type !== 'written') return answer;
    this.#transactions++;
    if (this.#loseAnswers-- > 0) throw new Error('the connection was lost');
    return answer;
  }

  #produce(outgoing: readonly OutgoingRecord[]): void {
    const error = this.#produceErrors.shift();
    if (error !== undefined) throw error;
    this.#produced.push(...outgoing);
  }

  #publish(letter: DeadLetter): void {
    if (this.#refuseDeadLetters-- > 0) throw new Error('the dead-letter topic refuses');
    this.#letters.push(letter);
  }

  #park(entry: FallbackEntry): void {
    if (this.#refuseFallback-- > 0) throw new Error('the fallback queue refuses');
    this.#fallback.push(entry);
  }
}

function isContextEnded(error: unknown): boolean {
  return error instanceof LockstepError && error.code === 'CONTEXT_ENDED';
}

function isSettled(type: Outcome['type'] | undefined): boolean {
  return type === 'handled' || type === 'deadLettered' || type === 'duplicate';
}
