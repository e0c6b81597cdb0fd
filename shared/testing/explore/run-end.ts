import type { DeadLetter } from '../../ports/dead-letter-publisher.ts';
import type { PointKind } from './life.ts';

/** A line of a story. */
export interface Moment {
  /** Virtual milliseconds since the run began. */
  readonly at: number;
  readonly text: string;
  /** Something goes wrong, or comes of it. */
  readonly isTrouble: boolean;
}

/** A point of a run: what was called, and of what kind it is. */
export interface Point {
  readonly name: string;
  readonly kind: PointKind;
}

/** What came of a run. */
export interface RunEnd<O = unknown> {
  readonly observed: O;
  readonly deadLetters: readonly DeadLetter[];
  readonly points: readonly Point[];
  readonly story: readonly Moment[];
  /** The handler did something that this kit sees. */
  readonly touches: boolean;
  /** What is wrong whatever is observed. */
  readonly fault?: string;
}

/** What runs of one scenario learn for those after them. */
export interface Known {
  /** Whether methods give promises, by name. */
  readonly promised: Map<string, boolean>;
  /** Whether the handler waits for something real, as a timer: then that is watched, which takes time. `undefined` before the first run. */
  isReal: boolean | undefined;
}
