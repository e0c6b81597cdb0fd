import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  abandon,
  blockedRecordOf,
  endIsolation,
  forget,
  isFull,
  pendingAfter,
  type Settling,
  settle,
  settleAll,
  settledBy,
  withBatch,
  withBlockedRecord,
} from '../../../shared/decide/settle.ts';
import { eachOffset, includesOffset, rangesOf, subtract, union } from '../../../shared/record/offset-ranges.ts';
import { blockedRecordAt, identity, progressOf } from '../../fixtures/progress.ts';

describe('settling a record', () => {
  test('settles back to its predecessor in the batch: what is absent between them does not exist', () => {
    const progress = settle(progressOf({}), {
      record: identity(44),
      from: 42,
      firstOfBatch: false,
      outcome: 'handled',
    });

    expect(progress.settled).toEqual([{ from: 42, to: 44 }]);
    expect(progress.firstRecords).toEqual([]);
  });

  test('takes it out of what is pending, with its blocked record', () => {
    const before = withBlockedRecord(
      progressOf({ pending: [{ from: 41, to: 43 }] }),
      blockedRecordAt(42, { attempts: 2 }),
    );

    const progress = settle(before, { record: identity(42), from: 42, firstOfBatch: false, outcome: 'handled' });

    expect(progress.pending).toEqual([
      { from: 41, to: 41 },
      { from: 43, to: 43 },
    ]);
    expect(progress.blockedRecords.size).toBe(0);
  });

  test('remembers the first record of a batch and the newest time', () => {
    const progress = settle(progressOf({ newestTimestamp: 9_000 }), {
      record: identity(42),
      from: 42,
      firstOfBatch: identity(42),
      outcome: 'handled',
    });

    expect(progress.firstRecords).toEqual([{ offset: 42, timestamp: 1_042, valueHash: 'hash-42' }]);
    expect(progress.newestTimestamp).toBe(9_000);
  });

  test('remembers the first record of a batch though another of its records settles first', () => {
    const ahead = settle(progressOf({}), {
      record: identity(44),
      from: 44,
      firstOfBatch: identity(42),
      outcome: 'handled',
    });
    const both = settle(ahead, { record: identity(42), from: 42, firstOfBatch: identity(42), outcome: 'handled' });

    expect(ahead.firstRecords).toEqual([{ offset: 42, timestamp: 1_042, valueHash: 'hash-42' }]);
    expect(both.firstRecords).toBe(ahead.firstRecords);
  });

  test('counts dead letters in a row, until something is handled', () => {
    const once = settle(progressOf({}), { record: identity(1), from: 1, firstOfBatch: false, outcome: 'deadLettered' });
    const twice = settle(once, { record: identity(2), from: 2, firstOfBatch: false, outcome: 'deadLettered' });
    const duplicate = settle(twice, { record: identity(3), from: 3, firstOfBatch: false, outcome: 'duplicate' });
    const handled = settle(duplicate, { record: identity(4), from: 4, firstOfBatch: false, outcome: 'handled' });

    expect([once, twice, duplicate, handled].map((progress) => progress.consecutiveDeadLetters)).toEqual([1, 2, 2, 0]);
  });
});

test('settled offsets wait for no operator any more', () => {
  const progress = progressOf({ replayRefused: [{ from: 3, to: 8 }] });

  expect(
    settle(progress, { record: identity(5), from: 4, firstOfBatch: false, outcome: 'handled' }).replayRefused,
  ).toEqual([
    { from: 3, to: 3 },
    { from: 6, to: 8 },
  ]);
});

describe('blockedRecords', () => {
  test('of what vanished inside the batch go with the record after it, all others stay', () => {
    const before = [40, 41, 42, 43, 44].reduce(
      (progress, offset) => withBlockedRecord(progress, blockedRecordAt(offset)),
      progressOf({}),
    );

    const progress = settle(before, { record: identity(43), from: 41, firstOfBatch: false, outcome: 'handled' });

    expect([...progress.blockedRecords.keys()]).toEqual([40, 44]);
  });

  test('are new without tries where nothing is known', () => {
    const known = withBlockedRecord(progressOf({}), blockedRecordAt(42, { attempts: 2 }));

    expect(blockedRecordOf(known, identity(42))).toBe(known.blockedRecords.get(42));
    expect(blockedRecordOf(known, identity(43))).toEqual({
      offset: 43,
      timestamp: 1_043,
      valueHash: 'hash-43',
      attempts: 0,
      interruptions: 0,
      exhausted: false,
    });
  });
});

describe('firstRecords', () => {
  const remembered = (offsets: number[], firstOfBatch: ReturnType<typeof identity>) =>
    settle(progressOf({ firstRecords: offsets.map((offset) => identity(offset)) }), {
      record: identity(99),
      from: 99,
      firstOfBatch,
      outcome: 'handled',
    }).firstRecords;

  test('stand in the order of their offsets, whenever they came', () => {
    expect(remembered([10, 30], identity(40)).map(({ offset }) => offset)).toEqual([10, 30, 40]);
    expect(remembered([10, 30], identity(20)).map(({ offset }) => offset)).toEqual([10, 20, 30]);
    expect(remembered([], identity(20)).map(({ offset }) => offset)).toEqual([20]);
    expect(remembered([30], identity(20)).map(({ offset }) => offset)).toEqual([20, 30]);
    expect(remembered([10, 20, 30], identity(25)).map(({ offset }) => offset)).toEqual([10, 20, 25, 30]);
  });

  test('of another record at a known offset take its place', () => {
    expect(remembered([10, 20, 30], identity(20, { valueHash: 'other' }))).toEqual([
      identity(10),
      identity(20, { valueHash: 'other' }),
      identity(30),
    ]);
    expect(remembered([10, 20], identity(10, { timestamp: 9 }))).toEqual([
      identity(10, { timestamp: 9 }),
      identity(20),
    ]);
    expect(remembered([10, 20], identity(20, { timestamp: 9 }))).toEqual([
      identity(10),
      identity(20, { timestamp: 9 }),
    ]);
  });

  test('of equal records at two offsets are two', () => {
    const same = { timestamp: 5, valueHash: 'same' };
    const { firstRecords } = settle(progressOf({ firstRecords: [identity(10, same)] }), {
      record: identity(20),
      from: 20,
      firstOfBatch: identity(20, same),
      outcome: 'handled',
    });

    expect(firstRecords.map(({ offset }) => offset)).toEqual([10, 20]);
  });

  test('that are known already change nothing', () => {
    const before = progressOf({ firstRecords: [identity(10)] });
    const { firstRecords } = settle(before, {
      record: identity(12),
      from: 12,
      firstOfBatch: identity(10),
      outcome: 'handled',
    });

    expect(firstRecords).toBe(before.firstRecords);
  });
});

describe('forgetting', () => {
  const batches = (count: number) => {
    let progress = progressOf({});
    for (let batch = 0; batch < count; batch++) {
      // A transaction marker at every boundary: ranges never touch.
      const offset = batch * 10;
      progress = settle(progress, {
        record: identity(offset),
        from: offset,
        firstOfBatch: identity(offset),
        outcome: 'handled',
      });
      progress = settle(progress, {
        record: identity(offset + 8),
        from: offset + 1,
        firstOfBatch: false,
        outcome: 'handled',
      });
    }
    return progress;
  };

  test('keeps the last 64 batches whole', () => {
    const progress = forget(batches(64), 630, []);

    expect(progress.settled).toHaveLength(64);
    expect(progress.floor).toBeUndefined();
  });

  test('drops what is older, and raises the floor to its end', () => {
    const progress = forget(forget(batches(66), 650, []), 650, []);

    expect(progress.settled[0]).toEqual({ from: 20, to: 28 });
    expect(progress.firstRecords).toHaveLength(64);
    expect(progress.floor).toBe(19);
  });

  test('never reaches what must come back', () => {
    const progress = forget({ ...batches(80), pending: [{ from: 5, to: 5 }] }, 790, []);

    expect(progress.floor).toBeUndefined();
    expect(progress.settled).toHaveLength(80);
  });

  test('never reaches unsettled offsets of our own batch', () => {
    const progress = forget(batches(80), 0, [{ from: 5, to: 5 }]);

    expect(progress.settled).toHaveLength(80);
  });
});

test('what is below the oldest mark is forgotten in the middle of a range', () => {
  const firstRecords = Array.from({ length: 64 }, (_, index) => identity(100 + index * 10));

  const progress = forget(progressOf({ settled: [{ from: 0, to: 799 }], firstRecords }), 740, []);

  expect(progress.settled).toEqual([{ from: 100, to: 799 }]);
  expect(progress.floor).toBe(100);
});

describe('what an operator let run again', () => {
  const firstRecords = Array.from({ length: 65 }, (_, index) => identity(100 + index * 10));
  const settled = [{ from: 95, to: 799 }];

  test('is absent if no operator decided', () => {
    expect(forget(progressOf({ settled, firstRecords, floor: 90 }), 740, [])).toStrictEqual(
      progressOf({ settled: [{ from: 100, to: 799 }], firstRecords: firstRecords.slice(1), floor: 100 }),
    );
  });

  test('is absent if nothing was forgotten, either', () => {
    const kept = [{ from: 100, to: 799 }];

    expect(forget(progressOf({ settled: kept, firstRecords }), 740, [])).toStrictEqual(
      progressOf({ settled: kept, firstRecords: firstRecords.slice(1) }),
    );
  });

  test('stays as long as nothing more is forgotten', () => {
    const progress = progressOf({ settled: [{ from: 100, to: 799 }], firstRecords, floor: 90, runBelow: 95 });

    expect(forget(progress, 740, [])).toStrictEqual({ ...progress, firstRecords: firstRecords.slice(1) });
  });
});

test('a floor never falls', () => {
  const firstRecords = Array.from({ length: 64 }, (_, index) => identity(100 + index * 10));
  const settled = [
    { from: 0, to: 50 },
    { from: 100, to: 799 },
  ];

  expect(forget(progressOf({ settled, firstRecords, floor: 90 }), 740, []).floor).toBe(90);
});

test('what an operator let run again ends where memory ended then: what is forgotten later was settled since', () => {
  const firstRecords = Array.from({ length: 64 }, (_, index) => identity(100 + index * 10));
  const settled = [{ from: 0, to: 799 }];

  expect('runBelow' in forget(progressOf({ settled, firstRecords, runBelow: 60 }), 740, [])).toBe(false);
  expect(forget(progressOf({ settled, firstRecords, floor: 20, runBelow: 60 }), 740, [])).toMatchObject({
    runBelow: 20,
  });
  expect(forget(progressOf({ settled, firstRecords, floor: 20, runBelow: 10 }), 740, [])).toMatchObject({
    runBelow: 10,
  });
  expect(forget(progressOf({ settled, firstRecords, floor: 100, runBelow: 60 }), 740, [])).toMatchObject({
    runBelow: 60,
  });
});

test('with nothing to forget progress is what it was', () => {
  const progress = progressOf({ settled: [{ from: 0, to: 799 }], firstRecords: [identity(0)] });

  expect(forget(progress, 740, [])).toBe(progress);

  const firstRecords = Array.from({ length: 64 }, (_, index) => identity(index * 10));
  const full = progressOf({ settled: [{ from: 0, to: 639 }], firstRecords });

  expect(forget(full, 630, [])).toBe(full);
});

test('a range that ends at the first record of a remembered batch is kept', () => {
  const settled = Array.from({ length: 65 }, (_, index) => ({ from: index * 10, to: index * 10 }));

  expect(forget(progressOf({ settled, firstRecords: [identity(0)] }), 640, []).settled).toHaveLength(65);
});

test('with fewer first records than batches to remember, offsets without a first record are kept', () => {
  const settled = Array.from({ length: 65 }, (_, index) => ({ from: index * 10, to: index * 10 + 8 }));

  expect(forget(progressOf({ settled, firstRecords: [identity(0)] }), 640, []).settled).toHaveLength(65);
  expect(forget(progressOf({ settled }), 640, [])).toMatchObject({ settled: settled.slice(1), floor: 9 });
});

test('what is due becomes pending, unless it was settled', () => {
  const progress = progressOf({ settled: [{ from: 0, to: 42 }], pending: [{ from: 30, to: 31 }] });

  expect(pendingAfter(progress, [{ from: 41, to: 44 }])).toEqual([{ from: 43, to: 44 }]);
});

test('crash isolation lasts while something up to its end is due', () => {
  const progress = progressOf({ isolateUntil: 13 });

  expect(endIsolation(progress, [{ from: 13, to: 20 }]).isolateUntil).toBe(13);
  expect(endIsolation(progress, [{ from: 14, to: 20 }]).isolateUntil).toBeUndefined();
});

test('without crash isolation progress is what it was', () => {
  const progress = progressOf({});

  expect(endIsolation(progress, [{ from: 13, to: 20 }])).toBe(progress);
});

test('an item is full at two hundred blocked records or a thousand settled ranges', () => {
  const blockedRecords = new Map(Array.from({ length: 200 }, (_, offset) => [offset, blockedRecordAt(offset)]));
  const settled = Array.from({ length: 1_000 }, (_, index) => ({ from: index * 2, to: index * 2 }));

  expect(isFull(progressOf({}))).toBe(false);
  expect(isFull(progressOf({ blockedRecords }))).toBe(true);
  expect(isFull(progressOf({ settled }))).toBe(true);
  // What must come back starts nothing: it has room of its own.
  expect(isFull(progressOf({ pending: settled }))).toBe(false);
  expect(isFull(progressOf({ settled: settled.slice(2) }), 1)).toBe(false);
  expect(isFull(progressOf({ settled: settled.slice(2) }), 2)).toBe(true);
  expect(
    isFull(
      progressOf({
        settled: settled.slice(1),
        pending: settled.slice(1),
        blockedRecords: new Map([...blockedRecords].slice(1)),
      }),
    ),
  ).toBe(false);
});

describe('what must come back of a batch', () => {
  const pending = [{ from: 0, to: 0 }];
  const sparse = [10, 12, 14, 18].map((offset) => ({ from: offset, to: offset }));

  test('is kept exactly as long as there is room', () => {
    expect(withBatch(pending, sparse, 5, [])).toEqual([...pending, ...sparse]);
  });

  test('is kept as one span where there is none, but for what is settled in it', () => {
    expect(withBatch(pending, sparse, 4, [])).toEqual([...pending, { from: 10, to: 18 }]);
    expect(withBatch(pending, sparse, 3, [{ from: 11, to: 12 }])).toEqual([
      ...pending,
      { from: 10, to: 10 },
      { from: 13, to: 18 },
    ]);
  });

  test('becomes one with all that is above the lowest ranges, once there are too many batches', () => {
    const known = [0, 2, 4, 6].map((offset) => ({ from: offset, to: offset }));

    expect(withBatch(known, sparse, 3, [{ from: 15, to: 15 }])).toEqual([
      { from: 0, to: 0 },
      { from: 2, to: 2 },
      { from: 4, to: 14 },
      { from: 16, to: 18 },
    ]);
  });

  test('of no batch changes nothing where there is room, and is one span above the lowest ranges where there is none', () => {
    expect(withBatch(pending, [], 1, [])).toEqual(pending);
    expect(withBatch(sparse, [], 3, [])).toEqual([
      { from: 10, to: 10 },
      { from: 12, to: 12 },
      { from: 14, to: 18 },
    ]);
  });

  test('always holds each offset of it that is not settled, in few ranges', () => {
    const setOf = fc
      .uniqueArray(fc.integer({ min: 0, max: 120 }), { maxLength: 40 })
      .map((offsets) => rangesOf(offsets.toSorted((a, b) => a - b)));
    fc.assert(
      fc.property(setOf, setOf, setOf, fc.integer({ min: 1, max: 12 }), (known, batch, settled, most) => {
        const kept = withBatch(known, batch, most, settled);
        for (const offset of eachOffset(subtract(union(known, batch), settled)))
          expect(includesOffset(kept, offset)).toBe(true);
        for (const offset of eachOffset(settled)) expect(includesOffset(kept, offset)).toBe(false);
        expect(kept.length).toBeLessThanOrEqual(most + settled.length);
      }),
    );
  });
});

describe('settling records in one go', () => {
  test('comes to the same as one after the other, in any order, whatever was known before', () => {
    const offsets = fc.uniqueArray(fc.integer({ min: 10, max: 40 }), { minLength: 1, maxLength: 12 });
    const outcomes = fc.constantFrom<Settling['outcome']>('handled', 'duplicate', 'deadLettered');
    const ranges = fc
      .uniqueArray(fc.integer({ min: 5, max: 45 }))
      .map((some) => rangesOf(some.toSorted((a, b) => a - b)));
    const known = fc.record({
      settled: ranges,
      pending: ranges,
      replayRefused: ranges,
      blockedRecords: fc.uniqueArray(fc.integer({ min: 5, max: 45 })),
    });
    fc.assert(
      fc.property(offsets, fc.infiniteStream(outcomes), known, fc.boolean(), (some, stream, before, isMarked) => {
        const blockedRecords = new Map(before.blockedRecords.map((offset) => [offset, blockedRecordAt(offset, {})]));
        const progress = progressOf({ ...before, blockedRecords, consecutiveDeadLetters: 2 });
        const first = identity(Math.min(...some));
        const settlings = some.map((offset): Settling => {
          const { value: outcome } = stream.next();
          return { record: identity(offset), from: offset - (offset % 2), firstOfBatch: isMarked && first, outcome };
        });

        const oneByOne = settlings.reduce(settle, progress);

        expect(settleAll(progress, settlings)).toEqual(oneByOne);
      }),
    );
  });

  test('first records a batch whichever of its records says so', () => {
    const settling = (offset: number, firstOfBatch: Settling['firstOfBatch']): Settling => ({
      record: identity(offset),
      from: offset,
      firstOfBatch,
      outcome: 'handled',
    });

    const first = settleAll(progressOf({}), [settling(10, identity(10)), settling(11, false)]);
    const last = settleAll(progressOf({}), [settling(10, false), settling(11, identity(10))]);
    const both = settleAll(progressOf({}), [settling(10, identity(10)), settling(20, identity(20))]);

    expect([first.firstRecords, last.firstRecords, both.firstRecords]).toEqual([
      [identity(10)],
      [identity(10)],
      [identity(10), identity(20)],
    ]);
  });

  test('changes nothing where nothing settled', () => {
    const progress = progressOf({});

    expect(settleAll(progress, [])).toBe(progress);
  });

  test('names the offsets that are settled, what is absent between them too', () => {
    const settling = (from: number, to: number): Settling => ({
      record: identity(to),
      from,
      firstOfBatch: false,
      outcome: 'handled',
    });

    expect(settledBy([settling(42, 44), settling(50, 50), settling(45, 45)])).toEqual([
      { from: 42, to: 45 },
      { from: 50, to: 50 },
    ]);
  });
});

describe('what is left to the relay', () => {
  const left = progressOf({ pending: [{ from: 40, to: 44 }], abandoned: [{ from: 10, to: 12 }] });

  test('is not waited for any more, and stays known until it settles', () => {
    const abandoned = abandon(left, [{ from: 41, to: 42 }]);
    expect([abandoned.pending, abandoned.abandoned]).toEqual([
      [
        { from: 40, to: 40 },
        { from: 43, to: 44 },
      ],
      [
        { from: 10, to: 12 },
        { from: 41, to: 42 },
      ],
    ]);

    const settled = settleAll(abandoned, [
      { record: identity(11), from: 10, firstOfBatch: false, outcome: 'deadLettered' },
      { record: identity(42), from: 41, firstOfBatch: false, outcome: 'handled' },
    ]);
    expect(settled.abandoned).toEqual([{ from: 12, to: 12 }]);
    expect(
      settle(settled, { record: identity(12), from: 12, firstOfBatch: false, outcome: 'duplicate' }).abandoned,
    ).toBe(undefined);
  });

  test('is just that where nothing was left before', () => {
    expect(abandon(progressOf({ pending: [{ from: 40, to: 44 }] }), [{ from: 41, to: 42 }]).abandoned).toEqual([
      { from: 41, to: 42 },
    ]);
  });

  test('takes a bounded room, and none of it is left out', () => {
    const scattered = Array.from({ length: 1_500 }, (_, index) => ({ from: 2 * index, to: 2 * index }));
    const { abandoned = [] } = abandon(progressOf({}), scattered);
    expect(abandoned.length).toBeLessThanOrEqual(1_000);
    expect(subtract(scattered, abandoned)).toEqual([]);
  });
});
