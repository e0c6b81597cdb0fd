import type { LockstepHandler } from '../../lockstep-consumer.ts';
import type { OutgoingRecord } from '../../ports/record-producer.ts';
import type { TransactAction } from '../../transact-action.ts';
import type { DeliveryFaults } from '../delivery.ts';
import type { TestRecord } from '../record.ts';
import type { Trouble } from './trouble.ts';

/** The result of a run besides the changes of the world. */
export interface Seen {
  /** Actions given to `context.transact` that were committed, in order. */
  readonly effects: readonly TransactAction[];
  /** Records given to `context.produce`, each `x-lockstep-id` once: a consumer with this id as its key applies them so. */
  readonly produced: readonly OutgoingRecord[];
  /** Records on the dead-letter topic, for example `orders-0@3`. */
  readonly deadLettered: readonly string[];
}

/** A handler, everything that it calls, and what must result. */
export interface Scenario<W extends object, O> {
  /**
   * Makes everything that the handler calls outside its process, in its state before the first record: fakes of tables and
   * services. Called for each run. Each call of a method, on it or on objects in it, is a point at which a fault may happen.
   */
  readonly world: () => W;
  /** Makes the handler of a new process. Called for each process: what it keeps in memory is lost with the process. */
  readonly handler: (world: W) => LockstepHandler | Promise<LockstepHandler>;
  /** The records in the topic. */
  readonly records: readonly TestRecord[];
  /**
   * The result that counts, as data. It is compared with that of a run without faults, so leave out everything that may differ.
   */
  readonly observe: (world: W, seen: Seen) => O;
  /**
   * Checks the result instead of comparing it. `false` or an error means that it is wrong. `expected` is the result of a run
   * without faults.
   */
  readonly holds?: (observed: O, expected: O) => unknown;
  /** As in `deliver`: the conditions of actions given to `context.transact`. @default all hold */
  readonly refuseEffect?: DeliveryFaults['refuseEffect'];
}

/** What `explore` tries, and how long. */
export interface ExploreOptions {
  /** The most runs. @default 500 */
  readonly runs?: number;
  /** Decides which combinations of faults are tried, after each fault was tried alone. @default 1 */
  readonly seed?: number;
  /** Which faults may happen. @default all but `thawsUnawareBefore` and `thawsUnawareAfter` */
  readonly troubles?: readonly Trouble[];
  /** Only one run: the `replay` of an error. */
  readonly replay?: string;
}

/** What `explore` did, if every run was right. */
export interface Explored {
  readonly runs: number;
  /** Calls and requests of the run without faults: the points at which faults were tried. */
  readonly points: readonly string[];
}
