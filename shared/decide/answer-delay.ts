import type { EpochMs } from '../record/units.ts';

/** Where a partition stands when the event is about to be answered. */
export interface Standing {
  /** Something of it must come back. */
  readonly halted: boolean;
  /** Something of it was settled in this invocation, by work. */
  readonly moved: boolean;
  /** When it is worth trying again; `undefined` when that is not known. */
  readonly wakeAt: EpochMs | undefined;
}

/** Milliseconds. */
export interface DelayPolicy {
  readonly haltedAnswerDelayMs: number;
  readonly blockedAnswerDelayMs: number;
}

/**
 * How long a halted invocation waits before it answers, so that a mapping that resends at once does not spin: until the first
 * partition may go on, at most `blockedAnswerDelayMs` when every partition is blocked and so nobody else waits for the answer, at most
 * `haltedAnswerDelayMs` otherwise, and never past `latest`.
 */
export function answerDelay(
  partitions: readonly Standing[],
  now: EpochMs,
  latest: EpochMs,
  { haltedAnswerDelayMs, blockedAnswerDelayMs }: DelayPolicy,
): number {
  const halted = partitions.filter((partition) => partition.halted);
  if (halted.length === 0) return 0;
  const allBlocked = halted.length === partitions.length && partitions.every(({ moved }) => !moved);
  const most = allBlocked ? blockedAnswerDelayMs : haltedAnswerDelayMs;
  // Nobody knows when a busy or gated partition may go on: it is looked at again soon.
  const waits = halted.map(({ wakeAt }) => (wakeAt === undefined ? haltedAnswerDelayMs : Math.max(0, wakeAt - now)));
  return Math.max(0, Math.min(most, Math.min(...waits), latest - now));
}
