import type { EpochMs } from '../record/units.ts';

/** What became of a partition in this invocation. */
export interface PartitionResult {
  /** Some of its records must be delivered again. */
  readonly halted: boolean;
  /** Some of its records were settled by work in this invocation. */
  readonly moved: boolean;
  /** When the partition is worth another try; `undefined` when that is not known. */
  readonly wakeAt: EpochMs | undefined;
}

/** In milliseconds. */
export interface DelayPolicy {
  readonly haltedAnswerDelayMs: number;
  readonly blockedAnswerDelayMs: number;
}

/**
 * How long an invocation with halted partitions waits before it answers. A mapping that redelivers at once then does not loop
 * without a pause. The invocation waits until the first partition may go on, and never past `latest`. It waits at most
 * `blockedAnswerDelayMs` when every partition is blocked, since then nothing else waits for the answer. Otherwise it waits at
 * most `haltedAnswerDelayMs`.
 */
export function answerDelay(
  partitions: readonly PartitionResult[],
  now: EpochMs,
  latest: EpochMs,
  { haltedAnswerDelayMs, blockedAnswerDelayMs }: DelayPolicy,
): number {
  const halted = partitions.filter((partition) => partition.halted);
  if (halted.length === 0) return 0;
  const allBlocked = halted.length === partitions.length && partitions.every(({ moved }) => !moved);
  const most = allBlocked ? blockedAnswerDelayMs : haltedAnswerDelayMs;
  // It is not known when a partition may go on that is busy or waits for a missing record: it is tried again soon.
  const waits = halted.map(({ wakeAt }) => (wakeAt === undefined ? haltedAnswerDelayMs : Math.max(0, wakeAt - now)));
  return Math.max(0, Math.min(most, Math.min(...waits), latest - now));
}
