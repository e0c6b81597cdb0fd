import { describe, expect, test } from 'vitest';
import {
  aroundParkedMarks,
  blockedSince,
  decideOperationsClaim,
  exhaustedRecord,
  hasOpenBefore,
  isDoubtful,
  isHalted,
  isSkipped,
  lostForGood,
  roomForLetters,
  stopWaiting,
  unknownToLedger,
  unsettledIn,
  withBlockedRecords,
  withoutAbsent,
} from '../../../shared/decide/relay.ts';
import { blockedRecordAt, claimedItem, identity, progressOf } from '../../fixtures/progress.ts';

const blockedRecords = (...offsets: number[]) => new Map(offsets.map((offset) => [offset, blockedRecordAt(offset)]));

test('a relay or operator function inherits what the dead left, and has nothing pending of its own', () => {
  const item = claimedItem({ progress: progressOf({ settled: [{ from: 0, to: 10 }] }), dead: [[9, 10, 11, 12]] });

  expect(
    decideOperationsClaim(item, 'me', 5_000, { onReplay: 'halt', missingRecordTimeoutMs: 300_000 }).progress,
  ).toStrictEqual(progressOf({ settled: [{ from: 0, to: 10 }], pending: [{ from: 11, to: 12 }], isolateUntil: 12 }));
});

test('a relay or operator function’s claim spans nothing: what is pending stays so', () => {
  const progress = progressOf({ pending: [{ from: 0, to: 2 }] });

  expect(
    decideOperationsClaim(claimedItem({ progress }), 'me', 5_000, { onReplay: 'halt', missingRecordTimeoutMs: 300_000 })
      .progress,
  ).toStrictEqual(progress);
});

test('the ledger does not know offsets that it remembers neither as settled nor as due', () => {
  const progress = progressOf({
    floor: 4,
    settled: [{ from: 6, to: 9 }],
    pending: [{ from: 11, to: 12 }],
    abandoned: [{ from: 14, to: 14 }],
  });

  expect(unknownToLedger(progress, [{ from: 0, to: 15 }])).toEqual([
    { from: 4, to: 5 },
    { from: 10, to: 10 },
    { from: 13, to: 13 },
    { from: 15, to: 15 },
  ]);
  expect(unknownToLedger(progressOf({}), [{ from: 0, to: 1 }])).toEqual([{ from: 0, to: 1 }]);
});

describe('an operator’s decision to skip', () => {
  const skipping = { floor: 20, skipBelow: 18, newestTimestamp: 2_000 };

  test.each([
    ['settles a forgotten record below its end', skipping, identity(17), true],
    ['ends at its end', skipping, identity(18), false],
    ['ends where memory begins', { ...skipping, floor: 10 }, identity(10), false],
    ['settles the last record before memory', { ...skipping, floor: 10 }, identity(9), true],
    ['settles nothing where nothing was forgotten', { skipBelow: 18 }, identity(0), false],
    ['settles nothing where there is none', { floor: 20 }, identity(0), false],
    ['does not settle what is pending', { ...skipping, pending: [{ from: 17, to: 17 }] }, identity(17), false],
    [
      'does not settle a record that is newer than all that settled',
      skipping,
      identity(17, { timestamp: 2_001 }),
      false,
    ],
  ])('%s', (_, progress, record, isMeant) => {
    expect(isSkipped(progressOf(progress), record)).toBe(isMeant);
  });
});

describe('what of a range is not settled', () => {
  const RANGE = { from: 0, to: 30 };

  test('is what no settled range holds', () => {
    expect(unsettledIn(progressOf({ settled: [{ from: 5, to: 20 }] }), RANGE)).toEqual([
      { from: 0, to: 4 },
      { from: 21, to: 30 },
    ]);
  });

  test.each([
    ['is all of it where nothing was forgotten, whatever an operator skips', { skipBelow: 10 }],
    ['is all of it where no operator skips what was forgotten', { floor: 10 }],
  ])('%s', (_, changes) => {
    expect(unsettledIn(progressOf(changes), RANGE)).toEqual([{ from: 0, to: 30 }]);
  });

  test.each([
    ['the floor', { floor: 8, skipBelow: 20 }],
    ["an operator's word", { floor: 20, skipBelow: 8 }],
  ])('begins above what an operator skips, up to %s', (_, changes) => {
    expect(unsettledIn(progressOf(changes), RANGE)).toEqual([{ from: 8, to: 30 }]);
  });

  test('has what is pending, though an operator skips what is around it', () => {
    expect(unsettledIn(progressOf({ floor: 8, skipBelow: 8, pending: [{ from: 3, to: 4 }] }), RANGE)).toEqual([
      { from: 3, to: 4 },
      { from: 8, to: 30 },
    ]);
  });
});

describe('it is not known whether a record was handled', () => {
  test('where memory does not reach back to it', () => {
    expect(isDoubtful(progressOf({ floor: 20 }), 19)).toBe(true);
    expect(isDoubtful(progressOf({ floor: 20, pending: [{ from: 18, to: 18 }] }), 19)).toBe(true);
  });

  test.each([
    ['nothing was forgotten', progressOf({}), 19],
    ['memory reaches back to it', progressOf({ floor: 20 }), 20],
    ['it is due', progressOf({ floor: 20, pending: [{ from: 19, to: 19 }] }), 19],
    ['it has a blocked record', progressOf({ floor: 20, blockedRecords: blockedRecords(19) }), 19],
  ])('but not where %s', (_, progress, offset) => {
    expect(isDoubtful(progress, offset)).toBe(false);
  });
});

describe('the blocked record of a record that is given up on', () => {
  const CAUSE = { code: 'RECORD_ABANDONED', text: 'the mapping did not send it again' } as const;

  test('that was never tried says why', () => {
    expect(exhaustedRecord(progressOf({}), identity(10), CAUSE, 5_000)).toEqual({
      ...blockedRecordAt(10, { exhausted: true }),
      firstFailedAt: 5_000,
      error: { name: 'RECORD_ABANDONED', text: 'the mapping did not send it again', stage: 'unattempted' },
      fingerprint: 'b93385d761b7',
    });
  });

  test('that failed keeps its own error and when it failed first', () => {
    const error = { name: 'CreditDown', text: 'no answer', stage: 'handler' } as const;
    const failed = blockedRecordAt(10, { attempts: 3, firstFailedAt: 70, fingerprint: 'f', error });

    expect(
      exhaustedRecord(progressOf({ blockedRecords: new Map([[10, failed]]) }), identity(10), CAUSE, 5_000),
    ).toEqual({
      ...failed,
      exhausted: true,
    });
  });

  test('that ended its process says nothing else', () => {
    const interrupted = blockedRecordAt(10, { interruptions: 1, firstFailedAt: 70 });

    expect(
      exhaustedRecord(progressOf({ blockedRecords: new Map([[10, interrupted]]) }), identity(10), CAUSE, 5_000),
    ).toEqual({
      ...interrupted,
      exhausted: true,
    });
  });

  test('is remembered with the others', () => {
    const marked = [blockedRecordAt(10, { exhausted: true }), blockedRecordAt(12, { exhausted: true })];
    const progress = withBlockedRecords(progressOf({ blockedRecords: blockedRecords(10, 11) }), marked);

    expect([...progress.blockedRecords.values()]).toEqual([marked[0], blockedRecordAt(11), marked[1]]);
  });
});

describe('the room for letters', () => {
  const marked = (count: number, total = count) =>
    new Map(
      Array.from(
        { length: total },
        (_, offset) => [offset, blockedRecordAt(offset, { exhausted: offset < count })] as const,
      ),
    );

  test.each([
    ['the flood breaker', progressOf({ consecutiveDeadLetters: 90 }), 10],
    [
      'the flood breaker, which counts what is marked already',
      progressOf({ consecutiveDeadLetters: 90, blockedRecords: marked(4, 9) }),
      6,
    ],
    ['the consumer’s own limit', progressOf({ consecutiveDeadLetters: 90, maxConsecutiveDeadLetters: 92 }), 2],
    ['the blocked records that an item has room for', progressOf({ blockedRecords: marked(0, 195) }), 5],
    ['nothing below zero', progressOf({ consecutiveDeadLetters: 101 }), 0],
  ])('is limited by %s', (_, progress, room) => {
    expect(roomForLetters(progress)).toBe(room);
  });

  test('counts a parked key once, by its first record', () => {
    const parked = [1, 2, 3].map((ordinal) =>
      blockedRecordAt(ordinal, { exhausted: true, parked: { sequence: 's1', ordinal } }),
    );

    expect(roomForLetters(withBlockedRecords(progressOf({}), parked))).toBe(99);
  });
});

describe('a range of offsets', () => {
  const marked = (offset: number) =>
    blockedRecordAt(offset, { exhausted: true, parked: { sequence: 's1', ordinal: 1 } });
  const around = (...offsets: number[]) =>
    aroundParkedMarks(withBlockedRecords(progressOf({ blockedRecords: blockedRecords(12) }), offsets.map(marked)), {
      from: 10,
      to: 15,
    });

  test('stays whole where it has no mark of a parked record', () => {
    expect(around()).toEqual([{ from: 10, to: 15 }]);
    expect(around(9, 16)).toEqual([{ from: 10, to: 15 }]);
  });

  test('is cut at marks of parked records, whenever they were made: each is a piece of its own', () => {
    expect(around(13, 11)).toEqual([
      { from: 10, to: 10 },
      { from: 11, to: 11 },
      { from: 12, to: 12 },
      { from: 13, to: 13 },
      { from: 14, to: 15 },
    ]);
    expect(around(10, 11, 15)).toEqual([
      { from: 10, to: 10 },
      { from: 11, to: 11 },
      { from: 12, to: 14 },
      { from: 15, to: 15 },
    ]);
    expect(around(10)).toEqual([
      { from: 10, to: 10 },
      { from: 11, to: 15 },
    ]);
    expect(around(14)).toEqual([
      { from: 10, to: 13 },
      { from: 14, to: 14 },
      { from: 15, to: 15 },
    ]);
  });
});

describe('a partition waits for an operator', () => {
  test.each([
    ['where a replay is halted', { replayRefused: [{ from: 3, to: 3 }] }, true],
    [
      'where a record is blocked and the flood breaker is open',
      { blockedRecords: blockedRecords(3), consecutiveDeadLetters: 100 },
      true,
    ],
    ['not where the flood breaker is closed', { blockedRecords: blockedRecords(3), consecutiveDeadLetters: 99 }, false],
    ['not where nothing is blocked', { consecutiveDeadLetters: 100 }, false],
    ['not where all is well', {}, false],
  ])('%s', (_, progress, halted) => {
    expect(isHalted(progressOf(progress))).toBe(halted);
  });
});

describe('offsets at which Kafka holds nothing', () => {
  const waiting = progressOf({
    pending: [{ from: 10, to: 12 }],
    blockedRecords: blockedRecords(10, 12),
    missingRecord: { offset: 10, since: 1, laterBatches: 2 },
  });

  test('are not waited for any more, and their blocked records are removed', () => {
    expect(withoutAbsent(waiting, [{ from: 5, to: 11 }])).toEqual(
      progressOf({ pending: [{ from: 12, to: 12 }], blockedRecords: blockedRecords(12) }),
    );
  });

  test('do not end the wait for another offset', () => {
    expect(withoutAbsent(waiting, [{ from: 12, to: 12 }])).toMatchObject({ missingRecord: { offset: 10 } });
  });

  test('change nothing where there are none', () => {
    expect(withoutAbsent({ ...waiting, pending: [] }, [])).toEqual({ ...waiting, pending: [] });
  });
});

describe('the wait for a missing record', () => {
  const missingRecord = { offset: 10, since: 1, laterBatches: 2 };

  test('stays as long as its offset is pending', () => {
    const progress = progressOf({ pending: [{ from: 10, to: 10 }], missingRecord });

    expect(stopWaiting(progress)).toBe(progress);
  });

  test('opens once it is not', () => {
    expect(stopWaiting(progressOf({ pending: [{ from: 11, to: 11 }], missingRecord }))).toEqual(
      progressOf({ pending: [{ from: 11, to: 11 }] }),
    );
  });
});

test('a partition is blocked since its oldest blocked record failed first', () => {
  const failed = [
    blockedRecordAt(10),
    blockedRecordAt(11, { firstFailedAt: 90 }),
    blockedRecordAt(12, { firstFailedAt: 70 }),
  ];

  expect(blockedSince(withBlockedRecords(progressOf({}), failed))).toBe(70);
  expect(blockedSince(progressOf({ blockedRecords: blockedRecords(10) }))).toBeUndefined();
});

describe('lost for good', () => {
  const HOUR = 3_600_000;
  /** Released at 15 s, looked at an hour later unless said otherwise. */
  const lost = (
    changes: Parameters<typeof claimedItem>[0],
    { committed = 100, now = 15_000 + HOUR }: { committed?: number; now?: number } = {},
  ) => lostForGood(claimedItem(changes), committed, now, HOUR);
  const withPending = { progress: progressOf({ pending: [{ from: 10, to: 12 }] }) };

  test('is what is pending below what the group has committed', () => {
    expect(lost(withPending)).toEqual([{ from: 10, to: 12 }]);
    expect(lost(withPending, { committed: 12 })).toEqual([{ from: 10, to: 11 }]);
    expect(lost(withPending, { committed: 1 })).toEqual([]);
  });

  test('is nothing where the group has committed nothing', () => {
    expect(lost({ progress: progressOf({ pending: [{ from: 0, to: 0 }] }) }, { committed: 1 })).toEqual([
      { from: 0, to: 0 },
    ]);
    expect(lost({ progress: progressOf({ pending: [{ from: 0, to: 0 }] }) }, { committed: 0 })).toEqual([]);
    expect(lost({ progress: progressOf({ pending: [{ from: 0, to: 0 }] }) }, { committed: -1 })).toEqual([]);
  });

  test('is nothing before its time is over', () => {
    expect(lost(withPending, { now: 15_000 + HOUR - 1 })).toEqual([]);
  });

  test('is what dead invocations had claimed and what is not settled', () => {
    const progress = progressOf({ settled: [{ from: 0, to: 21 }] });

    expect(lost({ progress, dead: [[20, 21, 22], [30]] })).toEqual([
      { from: 22, to: 22 },
      { from: 30, to: 30 },
    ]);
  });

  test('is what dead invocations had claimed within memory, and what is pending before it', () => {
    const progress = progressOf({ floor: 22, pending: [{ from: 10, to: 10 }] });

    expect(lost({ progress, dead: [[0, 21, 22, 23]] })).toEqual([
      { from: 10, to: 10 },
      { from: 22, to: 23 },
    ]);
  });

  test.each([
    {
      runBelow: 21,
      expected: [
        { from: 0, to: 0 },
        { from: 22, to: 23 },
      ],
    },
    {
      runBelow: 22,
      expected: [
        { from: 0, to: 0 },
        { from: 21, to: 23 },
      ],
    },
    {
      runBelow: 90,
      expected: [
        { from: 0, to: 0 },
        { from: 21, to: 23 },
      ],
    },
  ])('is what an operator let run again below $runBelow, before memory or not', ({ runBelow, expected }) => {
    expect(lost({ progress: progressOf({ floor: 22, runBelow }), dead: [[0, 21, 22, 23]] })).toEqual(expected);
  });

  test('is also offset 0 where nothing was forgotten', () => {
    expect(lost({ dead: [[0, 1]] })).toEqual([{ from: 0, to: 1 }]);
  });
});

describe('an earlier record that Lambda may still deliver', () => {
  const marked = blockedRecordAt(4, { exhausted: true });

  test.each([
    ['is one that is pending', { pending: [{ from: 4, to: 9 }] }, true],
    ['is none of those that the relay has', { pending: [{ from: 6, to: 9 }] }, false],
    ['is none at the offset or above', { pending: [{ from: 8, to: 9 }] }, false],
    ['is none that is settled', { pending: [{ from: 4, to: 5 }], settled: [{ from: 4, to: 5 }] }, false],
    [
      'is none whose dead letter is due',
      { pending: [{ from: 4, to: 4 }], blockedRecords: new Map([[4, marked]]) },
      false,
    ],
    ['is one beside such a record', { pending: [{ from: 4, to: 5 }], blockedRecords: new Map([[4, marked]]) }, true],
    [
      'is one that failed and is tried again',
      { pending: [{ from: 4, to: 4 }], blockedRecords: new Map([[4, blockedRecordAt(4)]]) },
      true,
    ],
  ])('%s', (_, progress, isOpen) => {
    expect(hasOpenBefore(progressOf(progress), 8, [{ from: 6, to: 7 }])).toBe(isOpen);
  });
});
