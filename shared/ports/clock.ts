import type { EpochMs } from '../record/units.ts';

/** Time. Tests and simulations use a clock that they move themselves. */
export interface Clock {
  now(): EpochMs;
  /** Resolves `ms` later, or at once when `signal` is aborted; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
