import type { Clock } from '../../ports/clock.ts';
import type { EpochMs } from '../../record/units.ts';

/** The result of `work`, or that there is none by `giveUpAt`; a later result is ignored. Rejects like `work`. */
export async function byDeadline<T>(
  clock: Clock,
  giveUpAt: EpochMs,
  work: () => Promise<T>,
): Promise<{ readonly type: 'done'; readonly value: T } | { readonly type: 'late' }> {
  const left = giveUpAt - clock.now();
  if (left <= 0) return { type: 'late' };
  const timer = new AbortController();
  try {
    return await Promise.race([
      work().then((value) => ({ type: 'done', value }) as const),
      clock.sleep(left, timer.signal).then(() => ({ type: 'late' }) as const),
    ]);
  } finally {
    timer.abort();
  }
}
