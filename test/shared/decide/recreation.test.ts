import { describe, expect, test } from 'vitest';
import {
  isAnotherRecord,
  isNewBeforeMemory,
  isNewBelowSettled,
  isUnclear,
  restartProgress,
} from '../../../shared/decide/recreation.ts';
import { batchOf, blockedRecordAt, identity, progressOf } from '../../fixtures/progress.ts';

const blockedRecords = (...offsets: number[]) =>
  new Map(offsets.map((offset) => [offset, blockedRecordAt(offset, { attempts: 1 })]));

describe('a record is a another record', () => {
  test.each([
    ['newer than all that settled, at a settled offset', { settled: [{ from: 0, to: 9 }], newestTimestamp: 1_004 }, 5],
    ['of another time than the mark at its offset', { firstRecords: [identity(3), identity(5, { timestamp: 7 })] }, 5],
    [
      'of another time than the blocked record at its offset',
      { blockedRecords: new Map([[5, { ...blockedRecordAt(5), timestamp: 7 }]]) },
      5,
    ],
  ])('%s', (_, progress, offset) => {
    expect(isAnotherRecord(progressOf(progress), identity(offset))).toBe(true);
  });

  test.each([
    ['that is as new as the newest that settled', { settled: [{ from: 0, to: 9 }], newestTimestamp: 1_005 }],
    ['that is newer, at an offset that is not settled', { settled: [{ from: 0, to: 4 }], newestTimestamp: 1_004 }],
    ['at a settled offset of an unknown time', { settled: [{ from: 0, to: 9 }] }],
    ['that is marked itself', { firstRecords: [identity(4), identity(5)] }],
    ['that differs from the mark at another offset', { firstRecords: [identity(4)] }],
    ['whose blocked record is its own', { blockedRecords: blockedRecords(4, 5) }],
    ['whose known value has no hash', { firstRecords: [identity(5, { valueHash: '' })] }],
    ['of another value than the mark at its offset', { firstRecords: [identity(5, { valueHash: 'other' })] }],
  ])('but none %s', (_, progress) => {
    expect(isAnotherRecord(progressOf(progress), identity(5))).toBe(false);
  });
});

describe('a record that is newer than all that settled', () => {
  const forgetful = { floor: 10, settled: [{ from: 10, to: 19 }], newestTimestamp: 1_004 };

  test.each([
    ['a forgotten offset', forgetful, 9, true],
    ['the first offset that is remembered', forgetful, 10, false],
    ['a forgotten offset that is pending', { ...forgetful, pending: [{ from: 9, to: 9 }] }, 9, false],
    ['a forgotten offset, where it is as new as the newest', { ...forgetful, newestTimestamp: 1_009 }, 9, false],
  ])('at %s cannot have been handled: %s', (_, progress, offset, isNew) => {
    expect(isNewBeforeMemory(progressOf(progress), identity(offset))).toBe(isNew);
  });

  test.each([
    ['below settled offsets', forgetful, 9, true],
    ['at the highest settled offset', forgetful, 19, false],
    ['above settled offsets', forgetful, 20, false],
    ['where nothing is settled', { newestTimestamp: 0 }, 5, false],
    ['below settled offsets, where it is pending', { ...forgetful, pending: [{ from: 9, to: 9 }] }, 9, false],
    ['below settled offsets, as new as the newest', { ...forgetful, newestTimestamp: 1_009 }, 9, false],
  ])('%s lies below settled ones: %s', (_, progress, offset, isNew) => {
    expect(isNewBelowSettled(progressOf(progress), identity(offset))).toBe(isNew);
  });
});

describe('of a record with the time of the known one and another value it is not known whether it is the same', () => {
  const AS_KAFKA_HOLDS_IT = 'hW3k_q0-';
  const AS_JSON = 'JtpLqAvo6';
  const WITHOUT_FRAMING = 'SA6Wv6rxc';
  const known = (valueHash: string) => ({ firstRecords: [identity(5, { valueHash })] });

  test.each([
    ['as a mark says', known('tpLqAvo6')],
    [
      'as the blocked record says',
      { blockedRecords: new Map([[5, { ...blockedRecordAt(5), valueHash: 'tpLqAvo6' }]]) },
    ],
  ])('%s', (_, progress) => {
    expect(isUnclear(progressOf(progress), identity(5, { valueHash: AS_KAFKA_HOLDS_IT }))).toBe(true);
  });

  test('as JSON, where JSON was known too', () => {
    expect(isUnclear(progressOf(known('JA6Wv6rxc')), identity(5, { valueHash: AS_JSON }))).toBe(true);
  });

  test.each([
    ['a schema registry was switched on', AS_KAFKA_HOLDS_IT, AS_JSON],
    ['a schema registry was switched off', AS_JSON, AS_KAFKA_HOLDS_IT],
    ['a schema registry was switched on, with SOURCE', AS_KAFKA_HOLDS_IT, WITHOUT_FRAMING],
    ['EventRecordFormat went from SOURCE to JSON', WITHOUT_FRAMING, AS_JSON],
    ['EventRecordFormat went from JSON to SOURCE', AS_JSON, WITHOUT_FRAMING],
    ['the relay saw only the bytes of the broker', '', AS_JSON],
  ])('but the record is the known one where %s', (_, before, after) => {
    const progress = progressOf(known(before));

    expect(isUnclear(progress, identity(5, { valueHash: after }))).toBe(false);
    expect(isAnotherRecord(progress, identity(5, { valueHash: after }))).toBe(false);
  });

  test('but it is another one where its time differs as well', () => {
    const record = identity(5, { timestamp: 7, valueHash: AS_JSON });

    expect(isUnclear(progressOf(known('JA6Wv6rxc')), record)).toBe(false);
    expect(isAnotherRecord(progressOf(known('JA6Wv6rxc')), record)).toBe(true);
  });
});

describe('progress of a recreated topic', () => {
  test('waits for all offsets that may be of the new topic, and runs those of dead invocations in crash isolation', () => {
    const old = progressOf({
      settled: [{ from: 0, to: 99 }],
      pending: [{ from: 100, to: 101 }],
      replayRefused: [{ from: 110, to: 110 }],
      firstRecords: [identity(50)],
      blockedRecords: blockedRecords(100),
      ...{ newestTimestamp: 9_000, floor: 0, consecutiveDeadLetters: 7, isolateUntil: 300 },
      maxConsecutiveDeadLetters: 9,
    });

    expect(restartProgress(old, [{ from: 3, to: 5 }], batchOf(7, 8))).toEqual(
      progressOf({
        pending: [
          { from: 3, to: 5 },
          { from: 100, to: 101 },
          { from: 110, to: 110 },
        ],
        isolateUntil: 5,
        maxConsecutiveDeadLetters: 9,
      }),
    );
  });

  test('starts no crash isolation where no invocation died', () => {
    expect(restartProgress(progressOf({ settled: [{ from: 0, to: 9 }] }), [], batchOf(3))).toStrictEqual(
      progressOf({}),
    );
  });

  test('keeps nothing of an equal record at another offset', () => {
    const same = { timestamp: 5, valueHash: 'same' };

    expect(restartProgress(progressOf({ firstRecords: [identity(20, same)] }), [], [identity(3, same)])).toEqual(
      progressOf({}),
    );
  });

  test('keeps what is known of exactly these records: they were of the new topic already', () => {
    const other = { valueHash: 'of-the-old-life' };
    const known = progressOf({
      settled: [
        { from: 3, to: 3 },
        { from: 7, to: 9 },
      ],
      firstRecords: [identity(3), identity(5), identity(7), identity(8, other), identity(9), identity(20)],
      blockedRecords: new Map([
        [4, blockedRecordAt(4, { attempts: 2 })],
        [6, { ...blockedRecordAt(6, { attempts: 2 }), ...other }],
        [20, blockedRecordAt(20, { attempts: 2 })],
      ]),
      newestTimestamp: 9_000,
    });

    expect(restartProgress(known, [], batchOf(3, 4, 5, 6, 7, 8))).toEqual(
      progressOf({
        settled: [
          { from: 3, to: 3 },
          { from: 7, to: 7 },
        ],
        firstRecords: [identity(3), identity(5), identity(7)],
        blockedRecords: new Map([[4, blockedRecordAt(4, { attempts: 2 })]]),
        newestTimestamp: 1_007,
      }),
    );
  });
});

test('of the old topic each ordinal of a parked key still gets its letter; of the new topic its record keeps its place', () => {
  const marked = (offset: number, ordinal: number) =>
    blockedRecordAt(offset, { exhausted: true, parked: { sequence: 's1', ordinal } });
  const known = progressOf({
    blockedRecords: new Map([
      [3, marked(3, 1)],
      [4, marked(4, 2)],
      [5, blockedRecordAt(5)],
    ]),
  });

  expect(restartProgress(known, [], batchOf(4))).toMatchObject({
    blockedRecords: new Map([[4, marked(4, 2)]]),
    goneMarks: [marked(3, 1)],
  });
});

test('offsets that were left to the relay may be of the new topic, and stay', () => {
  const known = progressOf({ settled: [{ from: 0, to: 9 }], abandoned: [{ from: 3, to: 4 }] });
  expect(restartProgress(known, [], [])).toMatchObject({ settled: [], abandoned: [{ from: 3, to: 4 }] });
});
