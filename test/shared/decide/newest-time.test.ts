import { describe, expect, test } from 'vitest';
import { isNewerThan, newestAmong, newestOf } from '../../../shared/decide/newest-time.ts';

/** In the unit of milliseconds still, and the first that counts micro- or nanoseconds. */
const [LAST_MS, FIRST_OTHER] = [9_999_999_999_999, 10_000_000_000_000];

describe('the newer of two timestamps', () => {
  test.each([
    ['is the later one', 1_000, 2_000, 2_000],
    ['is the known one where that is later', 2_000, 1_000, 2_000],
    ['is in milliseconds up to the year 2286', 1_000, LAST_MS, LAST_MS],
    ['is that in milliseconds where the other is in another unit', 1_000, FIRST_OTHER, 1_000],
    ['is that in milliseconds where the known one is in another unit', FIRST_OTHER, 1_000, 1_000],
    ['is the later one where both are in another unit', FIRST_OTHER, FIRST_OTHER + 1, FIRST_OTHER + 1],
  ])('%s', (_, known, timestamp, newest) => {
    expect(newestOf(known, timestamp)).toBe(newest);
    expect(newestAmong([{ timestamp }], known)).toBe(newest);
  });
});

describe('a timestamp is newer than the newest known one', () => {
  test.each([
    ['where it is later', 1_001, 1_000, true],
    ['where it is the last in milliseconds', LAST_MS, 1_000, true],
    ['not where it is the same', 1_000, 1_000, false],
    ['not where it is earlier', 999, 1_000, false],
    ['not where it is in another unit', FIRST_OTHER, 1_000, false],
    ['not where none is known', 1_000, undefined, false],
    ['not where none is known, whatever its unit', FIRST_OTHER, undefined, false],
  ])('%s', (_, timestamp, newest, isNewer) => {
    expect(isNewerThan(timestamp, newest)).toBe(isNewer);
  });
});
