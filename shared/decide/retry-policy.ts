import type { EpochMs } from '../record/units.ts';
import { cutText } from './cut-text.ts';
import { MAX_TEXT_BYTES } from './error-summary.ts';
import { marksAmong, type ParkLimits, withGoneMarks } from './parking.ts';
import { type BlockedRecord, type ErrorSummary, FRESH_PROGRESS, type Progress } from './progress.ts';

/** How often a record is tried, and how soon again. */
export interface RetryPolicy {
  /** Recorded attempts before the dead letter. `Infinity` blocks the partition instead. */
  readonly maxAttempts: number;
  /** Interruptions of this record before the dead letter. */
  readonly maxInterruptions: number;
  /** Quick tries after the first one, within one invocation. */
  readonly inlineRetries: number;
  /** Upper bound of the pause before a quick try. The pause is drawn uniformly below it. */
  readonly inlineDelayMs: number;
  /** The back-off before attempt n + 1 is drawn uniformly below `backOffBaseMs * 2^n`, at most `backOffMaxMs`. */
  readonly backOffBaseMs: number;
  readonly backOffMaxMs: number;
  /** The longest pause that a handler may ask for. */
  readonly maxPauseMs: number;
  /** Consecutive dead letters of a partition after which exhausted records block instead. */
  readonly maxConsecutiveDeadLetters: number;
  /** Present: an exhausted record parks its key instead of leaving a hole in it. */
  readonly park?: ParkLimits | undefined;
}

/** How an error counts. */
export type ErrorClass = 'retryable' | 'nonRetryable';

/** What to do with a record before the handler is called. */
export type Start =
  | { readonly type: 'run' }
  | { readonly type: 'backOff'; readonly until: EpochMs }
  /** No further try: the record gets its dead letter. `isExhausted`: the ledger has recorded that already. */
  | { readonly type: 'giveUp'; readonly isExhausted: boolean };

/** Whether a record may be tried. An exhausted record may not: its dead letter may have been written. */
export function decideStart(
  blocked: BlockedRecord | undefined,
  policy: RetryPolicy,
  breakerOpen: boolean,
  now: EpochMs,
): Start {
  if (blocked === undefined) return { type: 'run' };
  if (blocked.exhausted) return { type: 'giveUp', isExhausted: true };
  // While the breaker is open, a blocked record is tried again at the longest back-off. Its success closes the breaker.
  if (isTriedOut(blocked, policy) && !breakerOpen) return { type: 'giveUp', isExhausted: false };
  const { notBefore = 0 } = blocked;
  return notBefore > now ? { type: 'backOff', until: notBefore } : { type: 'run' };
}

/** Whether the record has used up its attempts or its interruptions. */
export function isTriedOut(
  { attempts, interruptions }: BlockedRecord,
  { maxAttempts, maxInterruptions }: RetryPolicy,
): boolean {
  return attempts >= maxAttempts || interruptions >= maxInterruptions;
}

/** The record as the ledger remembers it while its partition is paused. An earlier error stays. */
export function pausedRecord(blocked: BlockedRecord, pause: ErrorSummary, until: EpochMs, now: EpochMs): BlockedRecord {
  const text = `paused until ${new Date(until).toISOString()}: ${pause.text}`;
  const error = isPausedOnly(blocked) ? { ...pause, text: cutText(text, MAX_TEXT_BYTES) } : blocked.error;
  return { ...blocked, ...(error !== undefined && { error }), firstFailedAt: blocked.firstFailedAt ?? now };
}

/** Whether only a pause keeps the record from being settled. It has not failed. */
export function isPausedOnly({ attempts, interruptions, exhausted }: BlockedRecord): boolean {
  return attempts === 0 && interruptions === 0 && !exhausted;
}

/** The default of the option of that name. */
export const DEFAULT_MAX_CONSECUTIVE_DEAD_LETTERS = 100;

/** The number of consecutive dead letters that opens the flood breaker of this partition's consumer. */
export function letterLimit({ maxConsecutiveDeadLetters }: Progress): number {
  return maxConsecutiveDeadLetters ?? DEFAULT_MAX_CONSECUTIVE_DEAD_LETTERS;
}

/** Progress with the consumer's limit. */
export function withLetterLimit(progress: Progress, limit: number): Progress {
  if (letterLimit(progress) === limit) return progress;
  const { maxConsecutiveDeadLetters: _, ...rest } = progress;
  return limit === DEFAULT_MAX_CONSECUTIVE_DEAD_LETTERS ? rest : { ...rest, maxConsecutiveDeadLetters: limit };
}

/**
 * Progress that remembers nothing but its consumer's limit. Marks of parked records are gone: the letters under their ordinals are
 * due, whatever stands at their offsets from now on.
 */
export function resetCounts(progress: Progress): Progress {
  const { goneMarks } = withGoneMarks(progress, marksAmong(progress.blockedRecords.values()));
  return {
    ...withLetterLimit(FRESH_PROGRESS, letterLimit(progress)),
    ...(goneMarks !== undefined && { goneMarks }),
  };
}

/**
 * Past the limit an exhausted record blocks the partition. One bad deployment must not move a whole topic to its dead-letter
 * topic.
 */
export function isBreakerOpen(consecutiveDeadLetters: number, { maxConsecutiveDeadLetters }: RetryPolicy): boolean {
  return consecutiveDeadLetters >= maxConsecutiveDeadLetters;
}

/** The result of a failed try. */
export interface Failure {
  /** The blocked record as the ledger remembers it. */
  readonly blocked: BlockedRecord;
  readonly next: 'retryInline' | 'retryLater' | 'giveUp' | 'blocked';
}

/** One try that ended in an error. */
export interface FailedTry {
  readonly blocked: BlockedRecord;
  readonly errorClass: ErrorClass;
  readonly error: ErrorSummary;
  readonly fingerprint: string;
  /** Tries of this record in this invocation, with this one. */
  readonly triesHere: number;
  readonly now: EpochMs;
  /** Uniform in [0, 1). */
  readonly random: number;
}

/** Counts a failed attempt and decides what follows. */
export function decideFailure(failed: FailedTry, policy: RetryPolicy, breakerOpen: boolean): Failure {
  const { blocked, errorClass, error, fingerprint, triesHere, now, random } = failed;
  const attempts = Math.min(blocked.attempts + 1, Math.max(policy.maxAttempts, blocked.attempts));
  const counted: BlockedRecord = {
    ...blocked,
    attempts,
    error,
    fingerprint,
    firstFailedAt: blocked.firstFailedAt ?? now,
  };
  const after = (ms: number): BlockedRecord => ({ ...counted, notBefore: now + Math.ceil(ms) });
  const { notBefore: _, ...atOnce } = counted;
  if (errorClass === 'nonRetryable' || isTriedOut(counted, policy)) {
    return breakerOpen ? { blocked: after(policy.backOffMaxMs), next: 'blocked' } : { blocked: atOnce, next: 'giveUp' };
  }
  if (triesHere <= policy.inlineRetries) return { blocked: atOnce, next: 'retryInline' };
  return { blocked: after(backOffMs(attempts, policy, random)), next: 'retryLater' };
}

/**
 * Exponential back-off with full jitter: uniform below `backOffBaseMs * 2^attempts`, capped.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backOffMs(attempts: number, { backOffBaseMs, backOffMaxMs }: RetryPolicy, random: number): number {
  return random * Math.min(backOffMaxMs, backOffBaseMs * 2 ** attempts);
}
