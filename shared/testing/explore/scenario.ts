import type { LockstepHandler } from '../../lockstep-consumer.ts';
import type { OutgoingRecord } from '../../ports/record-producer.ts';
import type { TransactAction } from '../../transact-action.ts';
import type { DeliveryFaults } from '../delivery.ts';
import type { TestRecord } from '../record.ts';
import type { Trouble } from './trouble.ts';

/** What came of a run beside what the handler did to its world. */
export interface Seen {
  /** Actions given to `context.transact` that were committed, in order. */
  readonly effects: readonly TransactAction[];
  /** Records given to `context.produce`, each `x-lockstep-id` once: as a consumer applies them that is keyed by it. */
  readonly produced: readonly OutgoingRecord[];
  /** Records on the dead-letter topic, as `orders-0@3`. */
  readonly deadLettered: readonly string[];
}

/** A handler, what it reaches, and what must come of it. */
export interface Scenario<W extends object, O> {
  /**
   * Makes what the handler reaches outside its process, as it is before the first record: fakes of tables and services. Called for
   * each run. Each call of a method, on it or on what it holds, is a point at which something may go wrong.
   */
  readonly world: () => W;
  /** Makes the handler that a process has just loaded. Called for each process: what it keeps in memory dies with it. */
  readonly handler: (world: W) => LockstepHandler | Promise<LockstepHandler>;
  /** What is in the topic. */
  readonly records: readonly TestRecord[];
  /** What counts, as data. It is compared with what a run without trouble leaves, so leave out what may differ. */
  readonly observe: (world: W, seen: Seen) => O;
  /**
   * Says what must hold, instead of the comparison: `false` or an error means that it does not. `expected` is what a run without
   * trouble leaves.
   */
  readonly holds?: (observed: O, expected: O) => unknown;
  /** As for `deliver`: the conditions of actions given to `context.transact`. @default all hold */
  readonly refuseEffect?: DeliveryFaults['refuseEffect'];
}

/** How long and for what `explore` looks. */
export interface ExploreOptions {
  /** Runs at most. @default 500 */
  readonly runs?: number;
  /** Decides which combinations of faults are tried, after each fault was tried alone. @default 1 */
  readonly seed?: number;
  /** Which faults may happen. @default all but `thawsUnawareBefore` and `thawsUnawareAfter` */
  readonly troubles?: readonly Trouble[];
  /** One run only: what a story says under `replay`. */
  readonly replay?: string;
}

/** What `explore` did, where all held. */
export interface Explored {
  readonly runs: number;
  /** Calls and requests of the run without trouble: the points at which troubles were tried. */
  readonly points: readonly string[];
}
