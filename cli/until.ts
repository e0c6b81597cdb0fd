import { setTimeout as sleep } from 'node:timers/promises';

/** Time between two looks. */
const LOOK_EVERY_MS = 500;

export interface Wait {
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly signal?: AbortSignal;
}

/**
 * Looks again and again until there is something.
 *
 * @returns what was found; `undefined` where the time is over or the signal has fired
 */
export async function untilFound<T>(
  look: () => Promise<T | undefined>,
  { until, signal }: Wait,
): Promise<T | undefined> {
  for (;;) {
    const found = await look();
    if (found !== undefined || Date.now() >= until || signal?.aborted) return found;
    await sleep(LOOK_EVERY_MS);
  }
}
