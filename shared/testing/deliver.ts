import { invokeWith } from '../connection.ts';
import type { KafkaBatchResponse } from '../decide/batch-response.ts';
import type { Progress } from '../decide/progress.ts';
import type { LockstepHandler } from '../lockstep-consumer.ts';
import type { DeadLetter } from '../ports/dead-letter-publisher.ts';
import type { FallbackEntry } from '../ports/fallback-queue.ts';
import type { OutgoingRecord } from '../ports/record-producer.ts';
import type { LogFields } from '../ports/telemetry.ts';
import type { KafkaEvent } from '../record/kafka-event.ts';
import type { Outcome } from '../runtime/outcome.ts';
import type { TransactAction } from '../transact-action.ts';
import { DeliveryWorld } from './delivery-world.ts';
import type { FakeLedgerOptions } from './fake-ledger-store.ts';
import { kafkaEvent, type TestRecord } from './record.ts';
import { WorkUnderWay } from './work-under-way.ts';

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

/** Real milliseconds in which work that a handler left behind may still show itself. */
const LEFT_BEHIND_MS = 100;

/**
 * Delivers records to a handler as Lambda's mapping would, again and again until all are settled: no AWS, no broker, no
 * environment. Time is virtual, so back-offs cost nothing. It stands still while the handler does real work; a handler that hangs
 * (nothing is under way for 300 ms, or it takes longer than 2 s) meets `context.signal` and the deadline as in production.
 *
 * @throws TypeError for a handler that lockstepConsumer did not make
 * @throws what the handler's invocation throws, as for a malformed event
 * @throws LockstepError CONTEXT_ENDED when a handler calls `transact` or `produce` after it ended; an error that names the record
 *   when a promise is rejected that its handler started and nobody awaited
 */
export async function deliver(
  handler: LockstepHandler,
  records: readonly TestRecord[],
  faults: DeliveryFaults = {},
): Promise<Delivery> {
  const world = new DeliveryWorld(faults);
  const work = new WorkUnderWay();
  try {
    let due: KafkaEvent | undefined = kafkaEvent(records);
    for (let delivery = 0; due !== undefined && delivery < (faults.maxDeliveries ?? 100); delivery++) {
      const event: KafkaEvent = due;
      const invocation = work.run(() => invokeWith(handler, world.newProcess(), event, world.context()));
      const ended = Promise.race([invocation, world.death.promise]);
      const answer = await world.clock.runUntilSettled(ended, () => work.isIdle);
      world.answers.push(answer);
      due = answer === undefined ? event : reported(event, answer);
    }
    const until = performance.now() + LEFT_BEHIND_MS;
    while (!work.isIdle && world.failure === undefined && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 1));
  } finally {
    world.close();
    work.close();
  }
  if (world.failure !== undefined) throw world.failure.error;
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
