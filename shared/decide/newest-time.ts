import type { EpochMs } from '../record/units.ts';

/*
 * What is newer than all that was ever settled cannot be old: that is how a recreated topic is told from a replay. Producers choose
 * the timestamps of their records (`CreateTime`), so one of them may write in another unit than all others.
 */

/** No millisecond since 1970 is beyond it (year 2286): a larger timestamp counts micro- or nanoseconds, and is compared only with its like. */
const LAST_EPOCH_MS = 9_999_999_999_999;

/** The newer of two timestamps; of two units milliseconds, or one foreign record would make all others look old for ever. */
export function newestOf(known: EpochMs | undefined, timestamp: EpochMs): EpochMs {
  if (known === undefined) return timestamp;
  if (isMilliseconds(known) !== isMilliseconds(timestamp)) return isMilliseconds(known) ? known : timestamp;
  return Math.max(known, timestamp);
}

/** Whether a timestamp is newer than the newest known one; never where there is none, or where the units differ. */
export function isNewerThan(timestamp: EpochMs, newest: EpochMs | undefined): boolean {
  return newest !== undefined && isMilliseconds(timestamp) === isMilliseconds(newest) && timestamp > newest;
}

function isMilliseconds(timestamp: EpochMs): boolean {
  return timestamp <= LAST_EPOCH_MS;
}
