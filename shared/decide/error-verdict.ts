import { isBranded } from '../errors.ts';
import type { EpochMs } from '../record/units.ts';
import { causeChain } from './thrown.ts';

/** What an error means for its record. */
export type ErrorVerdict =
  | { readonly type: 'pause'; readonly pause: PauseRequest }
  | { readonly type: 'retryable' }
  | { readonly type: 'nonRetryable' };

/** What a PauseError says. It may come from another copy of its class, so nothing of it is trusted. */
export interface PauseRequest {
  readonly resumeAfterMs?: unknown;
  readonly resumeAt?: unknown;
}

/** What an error means; if it says nothing, what its cause means, or the cause of that one. Never throws. */
export function errorVerdict(error: unknown): ErrorVerdict {
  for (const { value } of causeChain(error)) {
    if (isBranded(value, 'PauseError')) return { type: 'pause', pause: readPause(value) };
    if (isBranded(value, 'NonRetryableError')) return { type: 'nonRetryable' };
    if (isBranded(value, 'LockstepError')) return { type: isRetryable(value) ? 'retryable' : 'nonRetryable' };
  }
  return { type: 'retryable' };
}

/** The length of a pause that does not say how long it is. */
const DEFAULT_PAUSE_MS = 1_000;

/** When a paused partition goes on, in whole milliseconds: the ledger keeps only those. */
export function pauseEnd({ resumeAfterMs, resumeAt }: PauseRequest, now: EpochMs, maxPauseMs: number): EpochMs {
  const asked = resumeAt instanceof Date ? resumeAt.getTime() - now : resumeAfterMs;
  const pauseMs = typeof asked === 'number' && asked > 0 ? Math.ceil(asked) : DEFAULT_PAUSE_MS;
  return now + Math.min(pauseMs, maxPauseMs);
}

function readPause(value: unknown): PauseRequest {
  try {
    const { resumeAfterMs, resumeAt } = value as PauseRequest;
    return { resumeAfterMs, resumeAt };
  } catch {
    return {};
  }
}

function isRetryable(value: unknown): boolean {
  try {
    return (value as { readonly retryable?: unknown }).retryable !== false;
  } catch {
    return true;
  }
}
