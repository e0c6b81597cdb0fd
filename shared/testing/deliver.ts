import type { Context } from 'aws-lambda';
import type { Connection } from '../connection.ts';
import { holderOf } from '../connection.ts';
import type { KafkaBatchResponse } from '../decide/batch-response.ts';
import type { Progress } from '../decide/progress.ts';
import type { LockstepHandler } from '../lockstep-consumer.ts';
import type { DeadLetter } from '../ports/dead-letter-publisher.ts';
import type { FallbackEntry } from '../ports/fallback-queue.ts';
import type { TransactAction, WriteAnswer, WriteRequest } from '../ports/ledger-store.ts';
import type { OutgoingRecord } from '../ports/record-producer.ts';
import type { LogFields } from '../ports/telemetry.ts';
import type { KafkaEvent } from '../record/kafka-event.ts';
import type { Outcome } from '../runtime/outcome.ts';
import { Sandbox } from '../runtime/sandbox.ts';
import { fakeIdempotencyKeyStore } from './fake-idempotency-key-store.ts';
import { type FakeLedgerOptions, type FakeLedgerStore, fakeLedgerStore } from './fake-ledger-store.ts';
import { mortal } from './mortal.ts';
import { kafkaEvent, type TestRecord } from './record.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What goes wrong while records are delivered. */
export interface DeliveryFaults {
  /** The process dies right after the n-th run of the handler, counted from 1: its work is done, nothing says so. */
  readonly crashAt?: number;
  /** The dead-letter topic refuses this many letters. @default 0 */
  readonly refuseLetters?: number;
  /** The fallback queue refuses this many entries. @default 0 */
  readonly refuseFallback?: number;
  /** Stands for the conditions of actions given to `context.transact`: why this one does not hold, beside what is committed. @default all hold */
  readonly refuseEffect?: FakeLedgerOptions['refuseEffect'];
  /** This many transactions are committed without an answer. @default 0 */
  readonly loseTransactionAnswers?: number;
  /** What the first calls of the producer throw, in turn; `LockstepError` BROKER_UNREACHABLE or PRODUCE_FAILED. @default none */
  readonly failProduce?: readonly Error[];
  /** Told what the ledger knows of a partition, each time that it is written. */
  readonly onProgress?: (progress: Progress) => void;
  /** Time that Lambda gives an invocation, in milliseconds. @default 60,000 */
  readonly timeoutMs?: number;
  /** Deliveries after which the test gives up on records that never settle. @default 100 */
  readonly maxDeliveries?: number;
}

/** What came of a delivery. */
export interface Delivery {
  /** The last outcome of each record, by `orders-0@3`. */
  readonly outcomes: Readonly<Record<string, Outcome['type']>>;
  /** Dead letters on the dead-letter topic. */
  readonly letters: readonly DeadLetter[];
  /** What went to the fallback queue. */
  readonly fallback: readonly FallbackEntry[];
  /** Actions given to `context.transact` that were committed. */
  readonly effects: readonly TransactAction[];
  /** Transactions that committed them: records of different keys may share one. */
  readonly transactions: number;
  /** Records given to `context.produce` that were acknowledged. */
  readonly produced: readonly OutgoingRecord[];
  /** Lambda's answers, one an invocation; `undefined` where the process died. */
  readonly answers: readonly (KafkaBatchResponse | undefined)[];
  /** Log lines, in order. */
  readonly logs: readonly { readonly level: string; readonly text: string; readonly fields?: LogFields | undefined }[];
  /** Metrics: counts summed, of `*Ms` the highest. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Delivers records to a handler as Lambda's mapping would, again and again until all are settled: no AWS, no broker, no
 * environment. Time is virtual, so back-offs cost nothing; it stands still while the handler works.
 *
 * @throws TypeError for a handler that lockstepConsumer did not make
 * @throws what the handler's invocation throws, as for a malformed event
 */
export async function deliver(
  handler: LockstepHandler,
  records: readonly TestRecord[],
  faults: DeliveryFaults = {},
): Promise<Delivery> {
  const holder = holderOf(handler);
  if (holder === undefined) throw new TypeError('deliver expects a handler that lockstepConsumer returned');
  const world = new DeliveryWorld(faults);
  let due: KafkaEvent | undefined = kafkaEvent(records);
  for (let delivery = 0; due !== undefined && delivery < (faults.maxDeliveries ?? 100); delivery++) {
    const event: KafkaEvent = due;
    const connection = world.newProcess();
    const invocation = holder.during(connection, async () => handler(event, world.context()));
    const answer = await world.clock.runUntilSettled(Promise.race([invocation, world.death.promise]));
    world.answers.push(answer);
    due = answer === undefined ? event : reported(event, answer);
  }
  return world.delivery();
}

/** What Lambda sends again: the reported records. */
function reported(event: KafkaEvent, { batchItemFailures }: KafkaBatchResponse): KafkaEvent | undefined {
  if (batchItemFailures.length === 0) return undefined;
  const names = new Set(batchItemFailures.map(({ itemIdentifier: { partition, offset } }) => `${partition}@${offset}`));
  const rest = Object.entries(event.records).flatMap(([name, raw]) => {
    const kept = raw.filter(({ offset }) => names.has(`${name}@${offset}`));
    return kept.length === 0 ? [] : [[name, kept] as const];
  });
  return { ...event, records: Object.fromEntries(rest) };
}

/** Time stands still while a handler runs: it may do real work. */
class HoldingSandbox extends Sandbox {
  readonly #clock: VirtualClock;
  readonly #onRun: () => void;
  readonly #releases: (() => void)[] = [];

  constructor(clock: VirtualClock, onRun: () => void) {
    super();
    this.#clock = clock;
    this.#onRun = onRun;
  }

  override enter(alone: boolean): Promise<boolean> | true {
    const entered = super.enter(alone);
    if (entered === true) this.#releases.push(this.#clock.hold());
    else
      return entered.then((admitted) => {
        if (admitted) this.#releases.push(this.#clock.hold());
        return admitted;
      });
    return true;
  }

  override leave(): void {
    this.#releases.pop()?.();
    this.#onRun();
    super.leave();
  }
}

class DeliveryWorld {
  readonly clock = new VirtualClock();
  readonly answers: (KafkaBatchResponse | undefined)[] = [];
  death = Promise.withResolvers<undefined>();
  readonly #faults: DeliveryFaults;
  readonly #keys = fakeIdempotencyKeyStore();
  readonly #ledger: FakeLedgerStore;
  readonly #produceErrors: Error[];
  #loseAnswers: number;
  #transactions = 0;
  readonly #outcomes: Record<string, Outcome['type']> = {};
  readonly #letters: DeadLetter[] = [];
  readonly #fallback: FallbackEntry[] = [];
  readonly #produced: OutgoingRecord[] = [];
  readonly #logs: Delivery['logs'][number][] = [];
  readonly #metrics: Record<string, number> = {};
  #refuseLetters: number;
  #refuseFallback: number;
  #runs = 0;
  #invocations = 0;

  constructor(faults: DeliveryFaults) {
    this.#faults = faults;
    this.#ledger = fakeLedgerStore({
      keys: this.#keys,
      ...(faults.refuseEffect !== undefined && { refuseEffect: faults.refuseEffect }),
      onChange: (_, __, { progress }) => faults.onProgress?.(progress),
    });
    this.#produceErrors = [...(faults.failProduce ?? [])];
    this.#loseAnswers = faults.loseTransactionAnswers ?? 0;
    this.#refuseLetters = faults.refuseLetters ?? 0;
    this.#refuseFallback = faults.refuseFallback ?? 0;
  }

  /** A process that has just started, on the same table and the same topics. */
  newProcess(): Connection {
    const death = Promise.withResolvers<undefined>();
    this.death = death;
    let alive = true;
    const die = () => {
      alive = false;
      death.resolve(undefined);
    };
    const sandbox = new HoldingSandbox(this.clock, () => {
      this.#runs++;
      if (this.#runs === this.#faults.crashAt) die();
    });
    const log = (level: string) => (text: string, fields?: LogFields) => void this.#logs.push({ level, text, fields });
    const living = <T extends object>(port: T) => mortal(port, () => alive);
    return {
      environment: { consumerGroup: 'deliver', failureMode: 'report' },
      ports: {
        ledger: living({ ...this.#ledger, write: (request) => this.#write(request) }),
        keys: living(this.#keys),
        letters: living({
          publish: async (letter: DeadLetter) => this.#publish(letter),
          disconnect: async () => undefined,
        }),
        fallback: living({ send: async (entry: FallbackEntry) => this.#park(entry) }),
        producer: living({
          produce: async (outgoing: readonly OutgoingRecord[]) => this.#produce(outgoing),
        }),
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
        endProcess: die,
        group: 'deliver',
      },
      begin: () => undefined,
      useBrokers: () => undefined,
      ended: (reports) => {
        for (const { delivered, outcomes } of reports) {
          for (const { offset, position } of delivered.records) {
            const outcome = outcomes.get(offset);
            // A settled record that comes back as a duplicate keeps the outcome that settled it.
            if (outcome !== undefined && !(outcome.type === 'duplicate' && isSettled(this.#outcomes[position])))
              this.#outcomes[position] = outcome.type;
          }
        }
      },
      flush: () => undefined,
    };
  }

  context(): Context {
    const timeoutMs = this.#faults.timeoutMs ?? 60_000;
    const deadline = this.clock.now() + timeoutMs;
    const name = 'deliver';
    return {
      callbackWaitsForEmptyEventLoop: false,
      functionName: name,
      functionVersion: '$LATEST',
      invokedFunctionArn: `arn:aws:lambda:eu-central-1:111122223333:function:${name}`,
      memoryLimitInMB: '512',
      awsRequestId: `request-${this.answers.length + 1}`,
      logGroupName: name,
      logStreamName: name,
      getRemainingTimeInMillis: () => deadline - this.clock.now(),
      done: () => undefined,
      fail: () => undefined,
      succeed: () => undefined,
    };
  }

  delivery(): Delivery {
    return {
      outcomes: this.#outcomes,
      letters: this.#letters,
      fallback: this.#fallback,
      effects: this.#ledger.effects,
      transactions: this.#transactions,
      produced: this.#produced,
      answers: this.answers,
      logs: this.#logs,
      metrics: this.#metrics,
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
    if (this.#refuseLetters-- > 0) throw new Error('the dead-letter topic refuses');
    this.#letters.push(letter);
  }

  #park(entry: FallbackEntry): void {
    if (this.#refuseFallback-- > 0) throw new Error('the fallback queue refuses');
    this.#fallback.push(entry);
  }
}

function isSettled(type: Outcome['type'] | undefined): boolean {
  return type === 'handled' || type === 'deadLettered' || type === 'duplicate';
}
