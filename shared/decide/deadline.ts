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
  /** When Lambda stops the invocation. */
  readonly deadline: EpochMs;
  /** When the handler's abort signal fires. */
  readonly abortAt: EpochMs;
  /** When a handler that still runs counts as an interruption. */
  readonly stallAt: EpochMs;
  /** When the answer must be sent. */
  readonly answerBy: EpochMs;
}

/** Plans an invocation: at most a quarter of its time, and at most two seconds, is kept for the end. */
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
 * When the last record may start. The reserve is one and a half times the longest handler time seen, and at most half of the
 * invocation's time, so that some records always start.
 *
 * @param longestHandlerMs - the longest recent run; 0 when there was none
 */
export function latestStart({ startedAt, deadline, abortAt }: DeadlinePlan, longestHandlerMs: number): EpochMs {
  const half = startedAt + (deadline - startedAt) / 2;
  return Math.max(half, abortAt - longestHandlerMs * 1.5);
}

/** The longest recent run. A longer run counts at once; shorter runs lower the figure slowly. */
export function observeHandlerMs(longest: number, handlerMs: number): number {
  return Math.max(handlerMs, longest * 0.98);
}

/** When the runtime gives up on the dead-letter topic: half of the time that is left is kept for the fallback queue. */
export function giveUpOnTopicAt({ stallAt }: DeadlinePlan, now: EpochMs): EpochMs {
  return now + Math.max(0, stallAt - now) / 2;
}
