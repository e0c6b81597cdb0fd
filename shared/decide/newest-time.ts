import type { EpochMs } from '../record/units.ts';

/*
 * A record that is newer than everything that was ever settled cannot be an old one. That tells a recreated topic from a
 * replay. Producers set the timestamps of their records (`CreateTime`), so one producer may use another unit than the others.
 */

/**
 * No timestamp in milliseconds is larger (year 2286). A larger one counts micro- or nanoseconds, and is compared only with
 * others of its unit.
 */
const LAST_EPOCH_MS = 9_999_999_999_999;

/**
 * The newer of two timestamps. Of two units, milliseconds win: otherwise one record in another unit would make all others look
 * old for ever.
 */
export function newestOf(known: EpochMs, timestamp: EpochMs): EpochMs {
  if (isMilliseconds(known) !== isMilliseconds(timestamp)) return isMilliseconds(known) ? known : timestamp;
  return Math.max(known, timestamp);
}

/** The newest of `known` and of the timestamps of records. */
export function newestAmong(records: readonly { readonly timestamp: EpochMs }[], known: EpochMs): EpochMs {
  return records.reduce((newest, { timestamp }) => newestOf(newest, timestamp), known);
}

/** Whether a timestamp is newer than the newest known one. False where none is known, or where the units differ. */
export function isNewerThan(timestamp: EpochMs, newest: EpochMs = Number.POSITIVE_INFINITY): boolean {
  return isMilliseconds(timestamp) === isMilliseconds(newest) && timestamp > newest;
}

function isMilliseconds(timestamp: EpochMs): boolean {
  return timestamp <= LAST_EPOCH_MS;
}
