import type { KafkaBatchResponse } from '../decide/batch-response.ts';
import type { Progress } from '../decide/progress.ts';
import type { DeadLetter } from '../ports/dead-letter-publisher.ts';
import type { FallbackEntry } from '../ports/fallback-queue.ts';
import type { OutgoingRecord } from '../ports/record-producer.ts';
import type { LogFields } from '../ports/telemetry.ts';
import type { Outcome } from '../runtime/outcome.ts';
import type { TransactAction } from '../transact-action.ts';
import type { FakeLedgerOptions } from './fake-ledger-store.ts';

/** Where a process dies. Records have the names of {@link Delivery.outcomes}: `orders-0@3`. */
export type Crash =
  /** Right after the n-th run of the handler in the whole delivery, counted from 1, whether it succeeded or failed. */
  | { readonly afterRun: number }
  /** The handler has done its work for this record, and nothing has recorded it. `times`: how often in a row. @default 1 */
  | { readonly afterHandlerOf: string; readonly times?: number }
  /** Just before the handler is called for this record. */
  | { readonly beforeHandlerOf: string; readonly times?: number };

/** Faults during a delivery. */
export interface DeliveryFaults {
  /** Where the process dies. The next delivery goes to a new process. @default no crash */
  readonly crash?: Crash | readonly Crash[];
  /** The dead-letter topic refuses this many dead letters. @default 0 */
  readonly refuseDeadLetters?: number;
  /** The fallback queue refuses this many entries. @default 0 */
  readonly refuseFallback?: number;
  /**
   * Decides for each action given to `context.transact` whether its condition fails, and why. It sees what is committed
   * already. @default all hold
   */
  readonly refuseEffect?: FakeLedgerOptions['refuseEffect'];
  /** This many transactions are committed while their answer is lost. @default 0 */
  readonly loseTransactionAnswers?: number;
  /**
   * The errors that the first calls of the producer throw, in turn: `LockstepError` BROKER_UNREACHABLE or PRODUCE_FAILED.
   * @default none
   */
  readonly failProduce?: readonly Error[];
  /** Called with the ledger's progress of a partition each time that it is written. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Time of an invocation, in milliseconds of virtual time. A handler that waits for something real, for example for a socket,
   * gets as much real time before it counts as one that never ends.
   *
   * @default 60,000
   */
  readonly timeoutMs?: number;
  /**
   * Parked keys are released so often, as `lockstep release --all` does, once nothing else is left. `deliverySteps` gives a step
   * before each release. @default 0
   */
  readonly releases?: number;
  /** After this many deliveries the test gives up on records that do not settle. @default 100 */
  readonly maxDeliveries?: number;
}

/** The result of a delivery. */
export interface Delivery {
  /** The last outcome of each record, by position, for example `orders-0@3`. */
  readonly outcomes: Readonly<Record<string, Outcome['type']>>;
  /** Dead letters on the dead-letter topic. */
  readonly deadLetters: readonly DeadLetter[];
  /** Entries of the fallback queue. */
  readonly fallback: readonly FallbackEntry[];
  /** Actions given to `context.transact` that were committed. */
  readonly effects: readonly TransactAction[];
  /** The number of transactions that committed them. Records of different keys may share one. */
  readonly transactions: number;
  /** Records given to `context.produce` that were acknowledged. */
  readonly produced: readonly OutgoingRecord[];
  /** Lambda's answers, one for each invocation; `undefined` where the process died. */
  readonly answers: readonly (KafkaBatchResponse | undefined)[];
  /** Log lines, in order. */
  readonly logs: readonly { readonly level: string; readonly text: string; readonly fields?: LogFields | undefined }[];
  /** Metrics: sums of counts, and the highest value of `*Ms`. */
  readonly metrics: Readonly<Record<string, number>>;
}
