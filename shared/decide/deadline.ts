import type { EpochMs } from '../record/units.ts';

/*
 *   invocation starts            latest start          abort          stall         answer by      deadline
 *   ────────┬────────────────────────┬──────────────────┬──────────────┬───────────────┬──────────────┬──▶
 *           records start            none starts any    signal fires   handlers that   whatever is    Lambda
 *                                    more (reserve)                    run on are      open is        kills
 *                                                                      interruptions   reported
 */
export interface DeadlinePlan {
  readonly startedAt: EpochMs;
  /** When Lambda ends the invocation. */
  readonly deadline: EpochMs;
  /** When the handler's signal fires. */
  readonly abortAt: EpochMs;
  /** When a handler that is still running counts as an interruption. */
  readonly stallAt: EpochMs;
  /** When the answer must be on its way. */
  readonly answerBy: EpochMs;
}

/** Plans an invocation: a quarter of its time at most goes to ending in order, two seconds at most. */
export function planDeadline(startedAt: EpochMs, remainingMs: number): DeadlinePlan {
  const deadline = startedAt + remainingMs;
  return {
    startedAt,
    deadline,
    abortAt: deadline - Math.min(2_000, remainingMs / 4),
    stallAt: deadline - Math.min(1_200, remainingMs / 8),
    answerBy: deadline - Math.min(400, remainingMs / 16),
  };
}

/**
 * When the last record may start: the reserve grows with the handler times that were seen (half as much again), and takes at
 * most half of the invocation's time, so that it never starves.
 *
 * @param longestHandlerMs - longest run seen lately; 0 when none was
 */
export function latestStart({ startedAt, deadline, abortAt }: DeadlinePlan, longestHandlerMs: number): EpochMs {
  const half = startedAt + (deadline - startedAt) / 2;
  return Math.max(half, abortAt - longestHandlerMs * 1.5);
}

/** The longest run seen lately: a longer one counts at once, a shorter one lets it fade slowly. */
export function observeHandlerMs(longest: number, handlerMs: number): number {
  return Math.max(handlerMs, longest * 0.98);
}

/** When the dead-letter topic is given up on: half of the time that is left is for the fallback queue. */
export function giveUpOnTopicAt({ stallAt }: DeadlinePlan, now: EpochMs): EpochMs {
  return now + Math.max(0, stallAt - now) / 2;
}
