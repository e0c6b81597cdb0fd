import type { KafkaBatchResponse } from '../decide/batch-response.ts';
import type { Progress } from '../decide/progress.ts';
import type { DeadLetter } from '../ports/dead-letter-publisher.ts';
import type { FallbackEntry } from '../ports/fallback-queue.ts';
import type { OutgoingRecord } from '../ports/record-producer.ts';
import type { LogFields } from '../ports/telemetry.ts';
import type { Outcome } from '../runtime/outcome.ts';
import type { TransactAction } from '../transact-action.ts';
import type { FakeLedgerOptions } from './fake-ledger-store.ts';

/** Where a process dies. Records are named as in {@link Delivery.outcomes}: `orders-0@3`. */
export type Crash =
  /** Right after the n-th run of the handler in the whole delivery, counted from 1, whether it succeeded or failed. */
  | { readonly afterRun: number }
  /** The handler has done its work for this record, and nothing says so. `times`: so often in a row. @default 1 */
  | { readonly afterHandlerOf: string; readonly times?: number }
  /** The handler is about to be called for this record. */
  | { readonly beforeHandlerOf: string; readonly times?: number };

/** What goes wrong while records are delivered. */
export interface DeliveryFaults {
  /** Where the process dies; the next delivery goes to a new one. @default it lives */
  readonly crash?: Crash | readonly Crash[];
  /** The dead-letter topic refuses this many dead letters. @default 0 */
  readonly refuseDeadLetters?: number;
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
  /**
   * Time that Lambda gives an invocation, in milliseconds of virtual time. A handler that waits for something real, as for a socket,
   * gets as much real time before it counts as one that never ends.
   *
   * @default 60,000
   */
  readonly timeoutMs?: number;
  /** Deliveries after which the test gives up on records that never settle. @default 100 */
  readonly maxDeliveries?: number;
}

/** What came of a delivery. */
export interface Delivery {
  /** The last outcome of each record, by `orders-0@3`. */
  readonly outcomes: Readonly<Record<string, Outcome['type']>>;
  /** Dead letters on the dead-letter topic. */
  readonly deadLetters: readonly DeadLetter[];
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
