import { describe, expect, test } from 'vitest';
import {
  DEFAULT_PARK_LIMITS,
  marksAmong,
  parkedKeyIn,
  parkedMarks,
  roomToPark,
  settledOrdinal,
  withGoneMarks,
  withMarks,
  withoutGoneMark,
} from '../../../shared/decide/parking.ts';
import { MAX_BLOCKED_RECORDS } from '../../../shared/decide/settle.ts';
import { blockedRecordAt, identity, progressOf } from '../../fixtures/progress.ts';

const NOW = 50_000;
const PLACE = { sequence: 's1', ordinal: 3 };
const known = (settled: number, tail: number) => ({ sequence: 's1', settled, tail });

describe('marks', () => {
  test('get the ordinals that follow the tail, in order, and keep what is known of their records', () => {
    const failed = blockedRecordAt(8, { attempts: 4, notBefore: 60_000, firstFailedAt: 40_000 });
    const progress = progressOf({ blockedRecords: new Map([[8, failed]]) });

    expect(parkedMarks(progress, [identity(8), identity(11)], known(0, 2), NOW)).toEqual([
      blockedRecordAt(8, {
        attempts: 4,
        exhausted: true,
        firstFailedAt: 40_000,
        parked: { sequence: 's1', ordinal: 3 },
      }),
      blockedRecordAt(11, { exhausted: true, firstFailedAt: NOW, parked: { sequence: 's1', ordinal: 4 } }),
    ]);
  });

  test('take the place of what was blocked, and nobody runs any more what is marked', () => {
    const mark = blockedRecordAt(8, { exhausted: true, parked: PLACE });
    const progress = progressOf({ running: identity(8), blockedRecords: new Map([[8, blockedRecordAt(8)]]) });

    expect(withMarks(progress, [mark])).toEqual(progressOf({ blockedRecords: new Map([[8, mark]]) }));
    expect(withMarks(progress, [blockedRecordAt(7), mark]).running).toBeUndefined();
  });

  test('leave alone who runs another record', () => {
    const mark = blockedRecordAt(8, { exhausted: true, parked: PLACE });

    expect(withMarks(progressOf({ running: identity(9) }), [mark])).toEqual(
      progressOf({ running: identity(9), blockedRecords: new Map([[8, mark]]) }),
    );
    expect(withMarks(progressOf({}), [mark])).toEqual(progressOf({ blockedRecords: new Map([[8, mark]]) }));
  });

  test('are those of blocked records that have a place', () => {
    const mark = blockedRecordAt(8, { parked: PLACE });

    expect(marksAmong([blockedRecordAt(7), mark])).toEqual([mark]);
  });
});

describe('room', () => {
  const limits = { maxPerKey: 60, maxKeys: 2 };
  const blocked = (size: number) => ({
    blockedRecords: new Map(Array.from({ length: size }, (_, offset) => [offset, blockedRecordAt(offset)])),
  });

  test.each([
    ['for fifty at once, of a key that is not parked yet', {}, undefined, 1, 0, 50],
    ['for no other key beyond the limit', {}, undefined, 2, 0, 0],
    ['for what waits in a key that is parked, whatever the number of keys', {}, known(20, 40), 2, 0, 40],
    ['for no more of a key than its limit', {}, known(0, 60), 1, 0, 0],
    ['for none where more waits than a lower limit now allows', {}, known(0, 70), 1, 0, 0],
    ['as the item of the partition has left', blocked(MAX_BLOCKED_RECORDS - 7), known(0, 0), 1, 0, 7],
    ['less what is on its way', blocked(MAX_BLOCKED_RECORDS - 7), known(0, 0), 1, 5, 2],
    ['never below none', blocked(MAX_BLOCKED_RECORDS), known(0, 0), 1, 5, 0],
  ])('is %s', (_, progress, key, keys, reserved, room) => {
    expect(roomToPark(progressOf(progress), key, keys, reserved, limits)).toBe(room);
  });

  test('is for 10,000 records of a key and for 1,000 keys unless the consumer says otherwise', () => {
    const room = (key: ReturnType<typeof known> | undefined, keys: number) =>
      roomToPark(progressOf({}), key, keys, 0, DEFAULT_PARK_LIMITS);

    expect([room(known(0, 9_993), 1), room(known(0, 10_000), 1)]).toEqual([7, 0]);
    expect([room(undefined, 999), room(undefined, 1_000)]).toEqual([50, 0]);
  });
});

test.each([
  ['nothing is settled', [], 0],
  ['the first are', [{ from: 1, to: 4 }], 4],
  ['only later ones are', [{ from: 2, to: 4 }], 0],
])('where %s, all ordinals up to %j need no more: %i', (_, settled, ordinal) => {
  const progress = progressOf({ settled });

  expect(settledOrdinal(progress)).toBe(ordinal);
});

test('of an item, whoever parks knows sequence, tail and what is settled', () => {
  const item = {
    epoch: 1,
    rev: 1,
    leaseUntil: 0,
    claims: [],
    progress: progressOf({ settled: [{ from: 1, to: 2 }] }),
    sequence: 's1',
    tail: 9,
    since: 0,
    behind: 'orders-0@7',
    fingerprint: '',
    key: '',
  };

  expect(parkedKeyIn(item)).toEqual({ sequence: 's1', tail: 9, settled: 2 });
});

describe('marks whose records exist no longer', () => {
  const mark = (offset: number, ordinal: number, sequence = 's1') =>
    blockedRecordAt(offset, { exhausted: true, parked: { sequence, ordinal } });

  test('leave the blocked records, and are kept behind earlier ones', () => {
    const progress = progressOf({
      blockedRecords: new Map([
        [7, mark(7, 1)],
        [8, blockedRecordAt(8)],
      ]),
      goneMarks: [mark(3, 9)],
    });

    expect(withGoneMarks(progress, [mark(7, 1)])).toEqual(
      progressOf({ blockedRecords: new Map([[8, blockedRecordAt(8)]]), goneMarks: [mark(3, 9), mark(7, 1)] }),
    );
    expect(withGoneMarks(progress, [])).toBe(progress);
    expect(withGoneMarks(progressOf({}), [mark(7, 1)]).goneMarks).toEqual([mark(7, 1)]);
  });

  test('leave one by one, by sequence and ordinal: offsets may be equal', () => {
    const all = [mark(7, 1), mark(7, 2), mark(7, 1, 's2')];

    expect(withoutGoneMark(progressOf({ goneMarks: all }), mark(7, 1)).goneMarks).toEqual([all[1], all[2]]);
    expect(withoutGoneMark(progressOf({ goneMarks: [mark(7, 1)] }), mark(7, 1))).toEqual(progressOf({}));
    expect(withoutGoneMark(progressOf({}), mark(7, 1))).toEqual(progressOf({}));
    expect(withoutGoneMark(progressOf({ goneMarks: [blockedRecordAt(7)] }), mark(7, 1)).goneMarks).toHaveLength(1);
    expect(withoutGoneMark(progressOf({ goneMarks: [mark(7, 1)] }), blockedRecordAt(7)).goneMarks).toHaveLength(1);
  });
});
