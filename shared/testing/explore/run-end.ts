import type { DeadLetter } from '../../ports/dead-letter-publisher.ts';
import type { PointKind, Returns } from './life.ts';

/** A line of the timeline. */
export interface Moment {
  /** Virtual milliseconds since the run began. */
  readonly at: number;
  readonly text: string;
  /** A fault, or a result of one. */
  readonly isTrouble: boolean;
}

/** A point of a run: the name and the kind of the call. */
export interface Point {
  readonly name: string;
  readonly kind: PointKind;
}

/** The result of a run. */
export interface RunEnd<O = unknown> {
  readonly observed: O;
  readonly deadLetters: readonly DeadLetter[];
  readonly points: readonly Point[];
  readonly story: readonly Moment[];
  /** The handler did something that this kit can see. */
  readonly touches: boolean;
  /** A fault of the run, whatever is observed. */
  readonly fault?: string;
}

/** What runs of one scenario learn for later ones. */
export interface Known {
  /** What calls return, by the name of the method. */
  readonly returns: Map<string, Returns>;
  /**
   * Whether the handler waits for something real, for example a timer. Then that is watched, which takes time. `undefined`
   * before the first run.
   */
  isReal: boolean | undefined;
}
