import { describe, expect, test } from 'vitest';
import { type ClaimPolicy, decideClaim, describeOffsets } from '../../../shared/decide/claim.ts';
import { decideChange } from '../../../shared/decide/operator.ts';
import type { PartitionItem, RecordIdentity } from '../../../shared/decide/progress.ts';
import { settleAll } from '../../../shared/decide/settle.ts';
import { batchOf, blockedRecordAt, claimedItem, identity, progressOf } from '../../fixtures/progress.ts';

const policy: ClaimPolicy = { onReplay: 'halt', missingRecordTimeoutMs: 300_000 };

function decide(
  item: PartitionItem,
  records: readonly RecordIdentity[],
  { now = 0, ...changes }: Partial<ClaimPolicy> & { now?: number } = {},
) {
  const decision = decideClaim(item, 'me', records, now, { ...policy, ...changes });
  return { ...decision, openOffsets: decision.open.map(({ offset }) => offset) };
}

describe('a fresh partition', () => {
  test('runs all of its first batch, and must redeliver it until it settles', () => {
    const decision = decide(claimedItem(), batchOf(41, 42, 44));

    expect(decision.verdict).toEqual({ type: 'run' });
    expect(decision.openOffsets).toEqual([41, 42, 44]);
    expect(decision.toRedeliver).toEqual([
      { from: 41, to: 42 },
      { from: 44, to: 44 },
    ]);
  });
});

describe('what is settled', () => {
  test('is skipped, and the rest runs', () => {
    const item = claimedItem({ progress: progressOf({ settled: [{ from: 0, to: 41 }], newestTimestamp: 1_041 }) });

    expect(decide(item, batchOf(40, 41, 42)).openOffsets).toEqual([42]);
  });

  test('runs when it lies in a hole between settled ranges', () => {
    const item = claimedItem({
      progress: progressOf({
        settled: [
          { from: 0, to: 9 },
          { from: 20, to: 29 },
        ],
        newestTimestamp: 2_000,
      }),
    });

    const decision = decide(item, batchOf(9, 12, 20));

    expect(decision.openOffsets).toEqual([12]);
    expect(decision.verdict).toEqual({ type: 'run' });
  });
});

describe('a dead invocation', () => {
  test('leaves its unsettled offsets pending, to be run in crash isolation', () => {
    const item = claimedItem({
      progress: progressOf({ settled: [{ from: 0, to: 11 }], newestTimestamp: 2_000 }),
      dead: [[10, 11, 12, 13]],
    });

    const decision = decide(item, batchOf(12, 13, 14));

    expect(decision.progress.pending).toEqual([{ from: 12, to: 13 }]);
    expect(decision.progress.isolateUntil).toBe(13);
    expect(decision.verdict).toEqual({ type: 'run' });
  });

  test('has its death put down to the record that it was running', () => {
    const item = claimedItem({ progress: progressOf({ running: identity(12), isolateUntil: 13 }), dead: [[12, 13]] });

    const decision = decide(item, batchOf(12, 13));

    expect(decision.progress.blockedRecords.get(12)).toMatchObject({ interruptions: 1, attempts: 0 });
    expect(decision.progress.running).toBeUndefined();
    expect(decision.interrupted).toEqual(identity(12));
  });

  test('that had settled all it claimed leaves no crash isolation', () => {
    const item = claimedItem({
      progress: progressOf({ settled: [{ from: 0, to: 13 }], newestTimestamp: 2_000 }),
      dead: [[12, 13]],
    });

    expect(decide(item, batchOf(14)).progress.isolateUntil).toBeUndefined();
  });
});

describe('batches of dead invocations that hold more ranges than fit', () => {
  const sparse = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index * 2);

  test('are waited for from their first to their last offset', () => {
    const dead = [sparse(0, 10_000), sparse(100_000, 10_000), sparse(200_000, 10_000)];

    const { progress } = decide(claimedItem({ dead }), batchOf(300_001));

    expect(progress.pending).toHaveLength(10_002);
    expect(progress.pending.slice(-2)).toEqual([
      { from: 100_000, to: 119_998 },
      { from: 200_000, to: 219_998 },
    ]);
  });

  test('lose what does not exist of them when they come back', () => {
    const dead = [sparse(0, 10_000), sparse(100_000, 3_000)];

    const { progress } = decide(claimedItem({ dead }), batchOf(...sparse(100_000, 3_000)));

    expect(progress.pending).toHaveLength(13_000);
    expect(progress.pending.at(-2)).toEqual({ from: 105_996, to: 105_996 });
  });
});

describe('crash isolation', () => {
  test('goes on while anything at or below its end is pending', () => {
    const item = claimedItem({ progress: progressOf({ isolateUntil: 13, pending: [{ from: 13, to: 13 }] }) });

    expect(decide(item, batchOf(13, 14)).progress.isolateUntil).toBe(13);
  });

  test('ends when nothing up to its end is left', () => {
    const item = claimedItem({
      progress: progressOf({ isolateUntil: 13, settled: [{ from: 0, to: 13 }], newestTimestamp: 2_000 }),
    });

    expect(decide(item, batchOf(14)).progress.isolateUntil).toBeUndefined();
  });
});

describe('a recreated topic', () => {
  const settled = progressOf({
    settled: [{ from: 0, to: 99 }],
    newestTimestamp: 1_099,
    firstRecords: [identity(0), identity(50)],
  });

  test('is recognised by a settled offset that is newer than everything settled, and progress starts from nothing', () => {
    const decision = decide(claimedItem({ progress: settled }), [
      identity(3, { timestamp: 5_000 }),
      identity(4, { timestamp: 5_001 }),
    ]);

    expect(decision.recreatedBy?.offset).toBe(3);
    expect(decision.openOffsets).toEqual([3, 4]);
    expect(decision.progress.settled).toEqual([]);
  });

  test('is recognised by a mark with another time', () => {
    const decision = decide(claimedItem({ progress: settled }), [identity(50, { timestamp: 7 }), identity(51)]);

    expect(decision.recreatedBy?.offset).toBe(50);
    expect(decision.openOffsets).toEqual([50, 51]);
  });

  test('is recognised by a blocked record whose record is another one', () => {
    const progress = progressOf({
      blockedRecords: new Map([[7, blockedRecordAt(7, { attempts: 2 })]]),
      pending: [{ from: 7, to: 7 }],
    });

    const decision = decide(claimedItem({ progress }), [identity(7, { timestamp: 9_999 })]);

    expect(decision.recreatedBy?.offset).toBe(7);
    expect(decision.progress.blockedRecords.size).toBe(0);
  });

  test('is recognised by what a dead invocation had claimed, though nothing of this batch is known', () => {
    const born = identity(3, { timestamp: 5_000 });

    const decision = decide(claimedItem({ progress: settled, dead: [[born, identity(4)]] }), batchOf(200));

    expect(decision.recreatedBy).toEqual(born);
    expect(decision.progress).toMatchObject({ settled: [], pending: [{ from: 3, to: 4 }] });
    expect(decision.verdict).toEqual({ type: 'waiting', waitsFor: 3 });
  });

  test('still waits for pending offsets: they may be of the new topic', () => {
    const progress = { ...settled, pending: [{ from: 40, to: 41 }], replayRefused: [{ from: 30, to: 30 }] };

    const decision = decide(claimedItem({ progress }), [identity(50, { timestamp: 5_000 })]);

    expect(decision.progress.pending).toEqual([
      { from: 30, to: 30 },
      { from: 40, to: 41 },
    ]);
    expect(decision.verdict).toEqual({ type: 'waiting', waitsFor: 30 });
  });

  test('keeps what is remembered of just these records: tries, and what of a batch had settled first', () => {
    const born = [0, 1, 2].map((offset) => identity(offset, { timestamp: 5_000 + offset }));
    const [first, tried, last] = born as [RecordIdentity, RecordIdentity, RecordIdentity];
    const blockedRecords = new Map([
      [1, { ...blockedRecordAt(1, { attempts: 3 }), ...tried }],
      [2, blockedRecordAt(2, { attempts: 1 })],
      [9, blockedRecordAt(9, { attempts: 1 })],
    ]);
    const progress = progressOf({ settled: [{ from: 0, to: 0 }], firstRecords: [first, identity(7)], blockedRecords });

    const decision = decide(claimedItem({ progress }), born);

    expect(decision.recreatedBy).toEqual(last);
    expect(decision.openOffsets).toEqual([1, 2]);
    expect(decision.progress).toMatchObject({ settled: [{ from: 0, to: 0 }], firstRecords: [first] });
    expect([...decision.progress.blockedRecords.values()]).toMatchObject([{ offset: 1, attempts: 3 }]);
  });

  test('is not seen where the same record came back', () => {
    expect(decide(claimedItem({ progress: settled }), batchOf(50, 51)).recreatedBy).toBeUndefined();
  });
});

describe('a known record whose time came back with another value', () => {
  const other = identity(50, { valueHash: 'another' });
  const settled = progressOf({ settled: [{ from: 0, to: 99 }], newestTimestamp: 1_099, firstRecords: [identity(50)] });

  test('halts: it may be the same in another form, or another topic’s', () => {
    const decision = decide(claimedItem({ progress: settled }), [other, identity(51)]);

    expect(decision.recreatedBy).toBeUndefined();
    expect(decision.verdict).toEqual({ type: 'replayHalted', isNew: true, unclear: other });
    expect(decision.openOffsets).toEqual([50]);
    expect(decision.progress).toMatchObject({
      settled: [
        { from: 0, to: 49 },
        { from: 51, to: 99 },
      ],
      replayRefused: [{ from: 50, to: 50 }],
    });
  });

  test('halts where replays are skipped, too', () => {
    expect(decide(claimedItem({ progress: settled }), [other], { onReplay: 'skip' }).verdict.type).toBe('replayHalted');
  });

  test('that is taken as a duplicate counts as settled again', () => {
    const { progress } = decide(claimedItem({ progress: settled }), [other]);
    const accepted = decideChange(progress, { type: 'acceptAsDuplicates' }, 0);

    const decision = decide(claimedItem(accepted.type === 'change' ? { progress: accepted.progress } : {}), [other]);

    expect(decision.openOffsets).toEqual([]);
    expect(decision.verdict).toEqual({ type: 'run' });
    expect(decision.progress.settled).toEqual([{ from: 0, to: 99 }]);
  });

  test('that shall run again runs', () => {
    const { progress } = decide(claimedItem({ progress: settled }), [other]);
    const accepted = decideChange(progress, { type: 'acceptToRun' }, 0);

    const decision = decide(claimedItem(accepted.type === 'change' ? { progress: accepted.progress } : {}), [other]);

    expect(decision.openOffsets).toEqual([50]);
    expect(decision.verdict).toEqual({ type: 'run' });
  });

  test('that blocks is due whatever an operator says, with its tries', () => {
    const blocked = progressOf({
      settled: [{ from: 0, to: 49 }],
      pending: [{ from: 50, to: 51 }],
      firstRecords: [identity(50)],
      blockedRecords: new Map([[50, blockedRecordAt(50, { attempts: 3 })]]),
    });
    const { progress, verdict } = decide(claimedItem({ progress: blocked }), [other, identity(51)]);

    expect(verdict.type).toBe('replayHalted');
    for (const type of ['acceptAsDuplicates', 'acceptToRun'] as const) {
      const accepted = decideChange(progress, { type }, 0);
      const decision = decide(claimedItem(accepted.type === 'change' ? { progress: accepted.progress } : {}), [
        other,
        identity(51),
      ]);

      expect(decision.openOffsets).toEqual([50, 51]);
      expect(decision.verdict).toEqual({ type: 'run' });
      expect(decision.progress.blockedRecords.get(50)).toMatchObject({ attempts: 3 });
    }
  });
});

describe('before memory', () => {
  const forgetful = progressOf({ settled: [{ from: 500, to: 599 }], floor: 500, newestTimestamp: 1_599 });

  test('halts, and what was refused is not pending', () => {
    const decision = decide(claimedItem({ progress: forgetful }), batchOf(498, 499, 500));

    expect(decision.verdict).toEqual({ type: 'replayHalted', isNew: true });
    expect(decision.progress.replayRefused).toEqual([{ from: 498, to: 500 }]);
    expect(decision.toRedeliver).toEqual([]);
  });

  test('holds later batches, too: the whole partition is halted, not only the batch', () => {
    const item = claimedItem({ progress: { ...forgetful, replayRefused: [{ from: 498, to: 499 }] } });

    const decision = decide(item, batchOf(600, 601));

    expect(decision.verdict).toEqual({ type: 'replayHalted', isNew: false });
    expect(decision.toRedeliver).toEqual([{ from: 600, to: 601 }]);
  });

  test('is skipped where the policy says so', () => {
    const decision = decide(claimedItem({ progress: forgetful }), batchOf(498, 499, 600), { onReplay: 'skip' });

    expect(decision.openOffsets).toEqual([600]);
    expect(decision.verdict).toEqual({ type: 'run' });
  });

  test('is skipped below an operator’s word, and runs below the other one', () => {
    const skipped = decide(claimedItem({ progress: { ...forgetful, skipBelow: 499 } }), batchOf(498));
    const run = decide(claimedItem({ progress: { ...forgetful, runBelow: 500 } }), batchOf(498, 499));

    expect(skipped.openOffsets).toEqual([]);
    expect(run.openOffsets).toEqual([498, 499]);
    expect(run.verdict).toEqual({ type: 'run' });
  });

  test('covers an older offset in a hole whose time is newer than all that settled', () => {
    const progress = progressOf({
      settled: [
        { from: 0, to: 9 },
        { from: 20, to: 29 },
      ],
      newestTimestamp: 1_029,
    });

    expect(decide(claimedItem({ progress }), [identity(12, { timestamp: 7_000 })]).verdict).toEqual({
      type: 'replayHalted',
      isNew: true,
    });
  });

  test('covers such an offset that a dead invocation had claimed without a look, too', () => {
    const item = claimedItem({
      progress: progressOf({ settled: [{ from: 20, to: 29 }], newestTimestamp: 1_029 }),
      dead: [[12, 13]],
    });

    const decision = decide(item, [identity(12, { timestamp: 7_000 }), identity(13)]);

    expect(decision.verdict).toEqual({ type: 'replayHalted', isNew: true });
    expect(decision.progress).toMatchObject({ replayRefused: [{ from: 12, to: 12 }], pending: [{ from: 13, to: 13 }] });
  });

  test('does not cover what ran behind another of its batch, whose times were in no order', () => {
    const batch = [identity(10, { timestamp: 9_000 }), identity(11, { timestamp: 1_011 })];
    const { newestTimestamp } = decide(claimedItem(), batch).progress;
    const ranAhead = progressOf({ settled: [{ from: 11, to: 11 }], pending: [{ from: 10, to: 10 }] });

    const decision = decide(
      claimedItem({ progress: { ...ranAhead, ...(newestTimestamp !== undefined && { newestTimestamp }) } }),
      batch,
    );

    expect(newestTimestamp).toBe(9_000);
    expect(decision.verdict).toEqual({ type: 'run' });
  });

  test('does not cover it where what was waited for has been abandoned, either', () => {
    const missingRecord = { offset: 4, since: 0, laterBatches: 2 };
    const item = claimedItem({ progress: progressOf({ pending: [{ from: 4, to: 4 }], missingRecord }) });

    const { verdict } = decide(item, [identity(10, { timestamp: 9_000 }), identity(11)], { now: 300_001 });

    expect(verdict).toMatchObject({ type: 'abandon', progress: { newestTimestamp: 9_000 } });
  });

  test('does not cover what is pending: that was due', () => {
    const item = claimedItem({ progress: { ...forgetful, pending: [{ from: 498, to: 499 }] } });

    expect(decide(item, batchOf(498, 499)).openOffsets).toEqual([498, 499]);
  });
});

test('what a replay halt refuses of a sparse batch fits the item, and none of it is left out', () => {
  const refused = Array.from({ length: 3_000 }, (_, index) => index * 2);
  const progress = progressOf({ settled: [{ from: 9_000, to: 9_999 }], floor: 9_000, newestTimestamp: 99_999 });

  const decision = decide(claimedItem({ progress }), batchOf(...refused));

  expect(decision.progress.replayRefused).toEqual([{ from: 0, to: 5_998 }]);
  expect(decision.toRedeliver).toEqual([]);
});

describe('a recreated topic whose records stand before memory', () => {
  const forgetful = progressOf({
    settled: [{ from: 500, to: 599 }],
    floor: 500,
    newestTimestamp: 1_599,
    firstRecords: [identity(500)],
  });
  const newer = [identity(0, { timestamp: 1_600 }), identity(1, { timestamp: 1_601 })];

  test('runs where replays are skipped: what is newer than all that settled cannot be old', () => {
    const decision = decide(claimedItem({ progress: forgetful }), newer, { onReplay: 'skip' });

    expect(decision.recreatedBy).toEqual(newer[0]);
    expect(decision.openOffsets).toEqual([0, 1]);
    expect(decision.verdict).toEqual({ type: 'run' });
    expect(decision.progress).toMatchObject({ settled: [], firstRecords: [], newestTimestamp: 1_601 });
    expect(decision.progress.floor).toBeUndefined();
  });

  test('runs though only its second record is newer than all that settled', () => {
    const batch = [identity(0, { timestamp: 1_599 }), identity(1, { timestamp: 1_600 })];

    const decision = decide(claimedItem({ progress: forgetful }), batch, { onReplay: 'skip' });

    expect(decision.recreatedBy).toEqual(batch[1]);
    expect(decision.openOffsets).toEqual([0, 1]);
  });

  test('is recognised by what a dead invocation had claimed, too', () => {
    const item = claimedItem({ progress: forgetful, dead: [newer] });

    const decision = decide(item, batchOf(600), { onReplay: 'skip' });

    expect(decision.recreatedBy).toEqual(newer[0]);
    expect(decision.verdict).toEqual({ type: 'waiting', waitsFor: 0 });
  });

  test('is recognised below an operator’s word that let the topic of then run again, too', () => {
    const item = claimedItem({ progress: { ...forgetful, runBelow: 500 } });

    expect(decide(item, newer).recreatedBy).toEqual(newer[0]);
    expect(decide(item, batchOf(0, 1)).recreatedBy).toBeUndefined();
    // The offsets that the operator let run are pending. The record that came in their place is another one all the same.
    const pending = claimedItem({ progress: { ...forgetful, runBelow: 500, pending: [{ from: 0, to: 1 }] } });
    expect(decide(pending, newer).recreatedBy).toEqual(newer[0]);
    expect(decide(pending, newer).openOffsets).toEqual([0, 1]);
    expect(decide(claimedItem({ progress: { ...forgetful, runBelow: 0 } }), newer).recreatedBy).toBeUndefined();
  });

  test('is none where the newer record was pending already', () => {
    const item = claimedItem({ progress: { ...forgetful, pending: [{ from: 0, to: 0 }] } });

    const decision = decide(item, newer.slice(0, 1), { onReplay: 'skip' });

    expect(decision.recreatedBy).toBeUndefined();
    expect(decision.openOffsets).toEqual([0]);
  });

  test('halts below an operator’s word: that meant the topic of then', () => {
    const decision = decide(claimedItem({ progress: { ...forgetful, skipBelow: 500 } }), newer);

    expect(decision.verdict).toEqual({ type: 'replayHalted', isNew: true });
    expect(decision.openOffsets).toEqual([0, 1]);
    expect(decision.progress).toMatchObject({ replayRefused: [{ from: 0, to: 1 }], newestRefused: 1_601 });
  });

  test('halts as a whole where one of its records is newer', () => {
    const batch = [identity(0), identity(1, { timestamp: 1_600 })];

    const decision = decide(claimedItem({ progress: { ...forgetful, skipBelow: 500 } }), batch);

    expect(decision.verdict.type).toBe('replayHalted');
  });

  test('says nothing of a newest time where the refused records are old', () => {
    const decision = decide(claimedItem({ progress: { ...forgetful, newestRefused: 9_000 } }), batchOf(3, 4));

    expect(decision.progress.newestRefused).toBeUndefined();
  });

  test('keeps the newest time of what is refused over several batches', () => {
    const progress = { ...forgetful, replayRefused: [{ from: 0, to: 0 }], newestRefused: 9_000 };

    expect(decide(claimedItem({ progress }), newer).progress.newestRefused).toBe(9_000);
  });

  test.each([
    ['microseconds', 1_767_225_600_000_000],
    ['nanoseconds', 1_767_225_600_000_000_000],
  ])('is seen though a record of %s was settled before', (_, timestamp) => {
    const settled = settleAll(progressOf({ newestTimestamp: 1_599 }), [
      { record: identity(599, { timestamp }), from: 599, firstOfBatch: false, outcome: 'handled' },
    ]);
    const progress = { ...settled, floor: 500 };

    expect(decide(claimedItem({ progress }), newer, { onReplay: 'skip' }).recreatedBy).toEqual(newer[0]);
  });

  test('is seen by its like where all times are in microseconds', () => {
    const at = (offset: number, timestamp: number) =>
      identity(offset, { timestamp: 1_767_225_600_000_000 + timestamp });
    const progress = { ...forgetful, newestTimestamp: at(599, 10).timestamp };

    expect(decide(claimedItem({ progress }), [at(0, 9)], { onReplay: 'skip' }).recreatedBy).toBeUndefined();
    expect(decide(claimedItem({ progress }), [at(0, 11)], { onReplay: 'skip' }).recreatedBy?.offset).toBe(0);
  });

  test('is not what the same record in another unit makes of it', () => {
    const progress = progressOf({ settled: [{ from: 0, to: 9 }], newestTimestamp: 1_009 });

    expect(decide(claimedItem({ progress }), [identity(3, { timestamp: 1e18 })]).recreatedBy).toBeUndefined();
  });
});

describe('the wait for a missing record', () => {
  const waiting = progressOf({
    settled: [{ from: 0, to: 40 }],
    pending: [{ from: 41, to: 41 }],
    newestTimestamp: 1_040,
  });

  test('reports a batch that overtook a retry', () => {
    const decision = decide(claimedItem({ progress: waiting }), batchOf(42, 43), { now: 10_000 });

    expect(decision.verdict).toEqual({ type: 'waiting', waitsFor: 41 });
    expect(decision.progress.missingRecord).toEqual({ offset: 41, since: 10_000, laterBatches: 0 });
    expect(decision.toRedeliver).toEqual([{ from: 42, to: 43 }]);
  });

  test('opens when the offset that is waited for comes back', () => {
    const item = claimedItem({
      progress: { ...waiting, missingRecord: { offset: 41, since: 10_000, laterBatches: 0 } },
    });

    const decision = decide(item, batchOf(41, 42), { now: 20_000 });

    expect(decision.verdict).toEqual({ type: 'run' });
    expect(decision.progress.missingRecord).toBeUndefined();
  });

  test('stays for the offset that is waited for while others come back', () => {
    const item = claimedItem({
      progress: {
        ...waiting,
        pending: [{ from: 38, to: 41 }],
        settled: [{ from: 0, to: 37 }],
        missingRecord: { offset: 41, since: 10_000, laterBatches: 2 },
      },
    });

    expect(decide(item, batchOf(38, 39, 40), { now: 20_000 }).progress.missingRecord).toEqual({
      offset: 41,
      since: 10_000,
      laterBatches: 2,
    });
  });

  test('counts no laterBatch before its time is over', () => {
    const item = claimedItem({ progress: { ...waiting, missingRecord: { offset: 41, since: 0, laterBatches: 0 } } });

    expect(decide(item, batchOf(42), { now: 300_000 }).progress.missingRecord).toEqual({
      offset: 41,
      since: 0,
      laterBatches: 0,
    });
    expect(decide(item, batchOf(42), { now: 300_001 }).progress.missingRecord).toEqual({
      offset: 41,
      since: 0,
      laterBatches: 1,
    });
  });

  test('takes what is missing for lost at the third laterBatch', () => {
    const item = claimedItem({ progress: { ...waiting, missingRecord: { offset: 41, since: 0, laterBatches: 2 } } });

    const decision = decide(item, batchOf(42), { now: 300_001 });

    expect(decision.verdict).toMatchObject({
      type: 'abandon',
      offsets: [{ from: 41, to: 41 }],
      progress: { pending: [], abandoned: [{ from: 41, to: 41 }] },
    });
    expect(decision.progress.pending).toEqual([{ from: 41, to: 41 }]);
    expect(decision.progress.abandoned).toBeUndefined();
  });
});

test('a pending offset inside the batch’s range but absent from it no longer exists', () => {
  const item = claimedItem({
    progress: progressOf({
      pending: [{ from: 41, to: 43 }],
      blockedRecords: new Map([[42, blockedRecordAt(42, { attempts: 1 })]]),
    }),
  });

  const decision = decide(item, batchOf(41, 43));

  expect(decision.progress.pending).toEqual([
    { from: 41, to: 41 },
    { from: 43, to: 43 },
  ]);
  expect(decision.progress.blockedRecords.size).toBe(0);
});

test('a record that has its place in a parked key, and exists no longer, leaves a gone mark: its letter is still due', () => {
  const marked = { ...blockedRecordAt(12), exhausted: true, parked: { sequence: 'sequence-1', ordinal: 3 } };
  const later = { ...blockedRecordAt(20), exhausted: true, parked: { sequence: 'sequence-1', ordinal: 4 } };
  const item = claimedItem({
    progress: progressOf({
      settled: [{ from: 0, to: 11 }],
      pending: [{ from: 12, to: 13 }],
      newestTimestamp: 2_000,
      blockedRecords: new Map([
        [12, marked],
        [13, blockedRecordAt(13)],
        [20, later],
      ]),
    }),
  });

  const { progress } = decide(item, batchOf(11, 14));

  expect(progress.goneMarks).toEqual([marked]);
  expect([...progress.blockedRecords.keys()]).toEqual([20]);
});

test('a paused partition runs nothing until its time', () => {
  const item = claimedItem({ progress: progressOf({ pausedUntil: 5_000 }) });

  expect(decide(item, batchOf(1), { now: 4_999 }).verdict).toEqual({ type: 'paused', until: 5_000 });
  expect(decide(item, batchOf(1), { now: 5_000 }).verdict).toEqual({ type: 'run' });
});

describe('at the edges', () => {
  const settledTo = (to: number, changes: Parameters<typeof progressOf>[0] = {}) =>
    progressOf({ settled: [{ from: 0, to }], newestTimestamp: 9_999, ...changes });

  test('the newest time of what runs may be the beginning of time', () => {
    expect(decide(claimedItem(), [identity(1, { timestamp: 0 })]).progress.newestTimestamp).toBe(0);
  });

  test('our own claim is no death', () => {
    const item = { ...claimedItem(), claims: [{ owner: 'me', offsets: [{ from: 41, to: 43 }] }] };

    const decision = decide(item, batchOf(41, 42, 43));

    expect(decision.progress.pending).toEqual([]);
    expect(decision.progress.isolateUntil).toBeUndefined();
    expect('recreatedBy' in decision || 'interrupted' in decision).toBe(false);
  });

  test('a death that left only offset 0 starts crash isolation, too', () => {
    const item = { ...claimedItem({ dead: [[0]] }) };

    expect(decide(item, batchOf(0)).progress).toMatchObject({ pending: [{ from: 0, to: 0 }], isolateUntil: 0 });
  });

  test('a death that left nothing starts no crash isolation', () => {
    const item = claimedItem({ progress: settledTo(0), dead: [[0]] });

    expect(decide(item, batchOf(1)).progress.isolateUntil).toBeUndefined();
  });

  test('a death that left nothing starts no crash isolation where lost offsets are given up, either', () => {
    const missingRecord = { offset: 41, since: 0, laterBatches: 2 };
    const progress = settledTo(40, { pending: [{ from: 41, to: 41 }], missingRecord });

    expect(decide(claimedItem({ progress, dead: [[40]] }), batchOf(42), { now: 300_001 }).verdict).toEqual({
      type: 'abandon',
      offsets: [{ from: 41, to: 41 }],
      progress: settledTo(40, { abandoned: [{ from: 41, to: 41 }] }),
    });
  });

  test('crash isolation ends no earlier than it was to', () => {
    const item = claimedItem({
      progress: progressOf({ isolateUntil: 50, pending: [{ from: 50, to: 50 }] }),
      dead: [[41]],
    });

    expect(decide(item, batchOf(41)).progress.isolateUntil).toBe(50);
  });

  test('what a dead invocation had claimed before memory is not pending', () => {
    const item = claimedItem({
      progress: settledTo(0, { settled: [{ from: 50, to: 60 }], floor: 50 }),
      dead: [[48, 49, 61]],
    });

    expect(decide(item, batchOf(61)).progress.pending).toEqual([{ from: 61, to: 61 }]);
  });

  test('the first failure of an interrupted record is its first', () => {
    const fresh = claimedItem({ progress: progressOf({ running: identity(12) }) });
    const known = claimedItem({
      progress: progressOf({
        running: identity(12),
        blockedRecords: new Map([[12, blockedRecordAt(12, { firstFailedAt: 5 })]]),
      }),
    });

    expect(decide(fresh, batchOf(12), { now: 70 }).progress.blockedRecords.get(12)?.firstFailedAt).toBe(70);
    expect(decide(known, batchOf(12), { now: 70 }).progress.blockedRecords.get(12)?.firstFailedAt).toBe(5);
  });

  test('a running record that is settled all the same is not an interruption', () => {
    const decision = decide(claimedItem({ progress: settledTo(20, { running: identity(12) }) }), batchOf(21));

    expect(decision.progress.blockedRecords.size).toBe(0);
    expect(decision.interrupted).toBeUndefined();
  });

  test('the wait ends when a dead invocation had the missing record in its batch, and with no other death', () => {
    const missingRecord = { offset: 41, since: 0, laterBatches: 2 };
    const progress = settledTo(40, { pending: [{ from: 41, to: 41 }], missingRecord });

    expect(decide(claimedItem({ progress, dead: [[41]] }), batchOf(42), { now: 300_001 }).verdict.type).toBe('waiting');
    expect(decide(claimedItem({ progress, dead: [[43]] }), batchOf(42), { now: 300_001 }).verdict.type).toBe('abandon');
    expect(decide(claimedItem({ progress, dead: [[41], [43]] }), batchOf(42), { now: 300_001 }).verdict.type).toBe(
      'waiting',
    );
  });

  test('a record whose known hash is empty is identified by its time alone', () => {
    const blockedRecords = new Map([[7, { ...blockedRecordAt(7, { attempts: 1 }), valueHash: '' }]]);
    const progress = progressOf({ blockedRecords, pending: [{ from: 7, to: 7 }] });

    expect(decide(claimedItem({ progress }), batchOf(7)).recreatedBy).toBeUndefined();
    expect(decide(claimedItem({ progress }), [identity(7, { timestamp: 1 })]).recreatedBy?.offset).toBe(7);
  });

  test('blocked records of what did not vanish stay', () => {
    const blockedRecords = new Map([40, 42, 50].map((offset) => [offset, blockedRecordAt(offset, { attempts: 1 })]));
    const item = claimedItem({ progress: progressOf({ pending: [{ from: 40, to: 50 }], blockedRecords }) });

    const decision = decide(item, batchOf(41, 43));

    expect([...decision.progress.blockedRecords.keys()]).toEqual([40, 50]);
    expect(decision.progress.pending).toEqual([
      { from: 40, to: 41 },
      { from: 43, to: 50 },
    ]);
  });

  test('what vanished between the last records of a batch is waited for no more', () => {
    const item = claimedItem({ progress: progressOf({ pending: [{ from: 41, to: 45 }] }) });

    expect(decide(item, batchOf(41, 42, 45)).progress.pending).toEqual([
      { from: 41, to: 42 },
      { from: 45, to: 45 },
    ]);
  });

  test('with onReplay skip whatever runs where nothing was forgotten', () => {
    expect(decide(claimedItem(), batchOf(0, 1), { onReplay: 'skip' }).openOffsets).toEqual([0, 1]);
  });

  test('what is due begins at the floor', () => {
    const progress = progressOf({ settled: [{ from: 510, to: 599 }], floor: 500, newestTimestamp: 9_999 });

    expect(decide(claimedItem({ progress }), batchOf(499, 500, 501), { onReplay: 'skip' }).toRedeliver).toEqual([
      { from: 500, to: 501 },
    ]);
  });

  test('the floor itself is within memory', () => {
    const progress = progressOf({ settled: [{ from: 510, to: 599 }], floor: 500, newestTimestamp: 9_999 });

    expect(decide(claimedItem({ progress }), batchOf(500), { onReplay: 'skip' }).openOffsets).toEqual([500]);
    expect(decide(claimedItem({ progress }), batchOf(500)).verdict).toEqual({ type: 'run' });
    expect(decide(claimedItem({ progress }), batchOf(499)).verdict.type).toBe('replayHalted');
  });

  test('an operator’s words end at their offset', () => {
    const forgetful = progressOf({ settled: [{ from: 510, to: 599 }], floor: 500, newestTimestamp: 9_999 });

    const skipped = decide(claimedItem({ progress: { ...forgetful, skipBelow: 450 } }), batchOf(449, 450));
    const run = decide(claimedItem({ progress: { ...forgetful, runBelow: 450 } }), batchOf(450));

    expect(skipped.openOffsets).toEqual([450]);
    expect(skipped.verdict.type).toBe('replayHalted');
    expect(run.verdict.type).toBe('replayHalted');
  });

  test('one record from before memory halts its whole batch', () => {
    const progress = progressOf({ settled: [{ from: 510, to: 599 }], floor: 500, newestTimestamp: 9_999 });

    expect(decide(claimedItem({ progress }), batchOf(499, 500, 600)).verdict).toEqual({
      type: 'replayHalted',
      isNew: true,
    });
  });

  test('with onReplay skip an older offset in a hole runs, however new its time', () => {
    const progress = progressOf({
      settled: [
        { from: 0, to: 9 },
        { from: 20, to: 29 },
      ],
      newestTimestamp: 1_029,
    });

    const decision = decide(claimedItem({ progress }), [identity(12, { timestamp: 7_000 })], { onReplay: 'skip' });

    expect(decision.verdict).toEqual({ type: 'run' });
    expect(decision.recreatedBy?.offset).toBe(12);
  });

  test('with onReplay skip a record of a recreated topic runs though another ran ahead of it', () => {
    const ranAhead = { settled: [{ from: 5, to: 5 }], firstRecords: [identity(5)], newestTimestamp: 1_005 };

    const decision = decide(
      claimedItem({ progress: progressOf(ranAhead) }),
      [identity(3, { timestamp: 9_000 }), identity(5)],
      {
        onReplay: 'skip',
      },
    );

    expect(decision).toMatchObject({ recreatedBy: { offset: 3 }, verdict: { type: 'run' }, openOffsets: [3] });
  });

  test('an older offset in a hole that is as new as the newest runs', () => {
    const progress = progressOf({ settled: [{ from: 20, to: 29 }], newestTimestamp: 1_029 });

    expect(decide(claimedItem({ progress }), [identity(12, { timestamp: 1_029 })]).verdict).toEqual({ type: 'run' });
    expect(decide(claimedItem({ progress }), [identity(30, { timestamp: 7_000 })]).verdict).toEqual({ type: 'run' });
  });

  test('a batch with the lowest refused offset is judged again, wherever the offset is in it', () => {
    const progress = progressOf({
      settled: [{ from: 510, to: 599 }],
      floor: 500,
      newestTimestamp: 9_999,
      replayRefused: [{ from: 490, to: 495 }],
      runBelow: 500,
    });

    const decision = decide(claimedItem({ progress }), batchOf(489, 490, 491));

    expect(decision.verdict).toEqual({ type: 'run' });
    expect(decision.progress.replayRefused).toEqual([{ from: 492, to: 495 }]);
  });

  test('a batch of duplicates is run, whatever is halted or waits', () => {
    const progress = settledTo(50, {
      pending: [{ from: 5, to: 5 }],
      replayRefused: [{ from: 60, to: 61 }],
      pausedUntil: 99_999,
    });

    const decision = decide(claimedItem({ progress }), batchOf(41, 42));

    expect(decision.verdict).toEqual({ type: 'run' });
    expect(decision.openOffsets).toEqual([]);
  });

  test('the time of a wait is counted from when it began', () => {
    const progress = settledTo(40, {
      pending: [{ from: 41, to: 41 }],
      missingRecord: { offset: 41, since: 200_000, laterBatches: 0 },
    });

    expect(decide(claimedItem({ progress }), batchOf(42), { now: 200_001 }).progress.missingRecord?.laterBatches).toBe(
      0,
    );
  });

  test('a wait for another offset starts its own time', () => {
    const progress = settledTo(39, {
      pending: [{ from: 40, to: 41 }],
      missingRecord: { offset: 41, since: 1, laterBatches: 2 },
    });

    expect(decide(claimedItem({ progress }), batchOf(42), { now: 400_000 }).progress.missingRecord).toEqual({
      offset: 40,
      since: 400_000,
      laterBatches: 0,
    });
  });

  test('what is pending behind a batch is not missing before it', () => {
    const progress = settledTo(40, { pending: [{ from: 41, to: 42 }] });

    expect(decide(claimedItem({ progress }), batchOf(41)).verdict).toEqual({ type: 'run' });
  });

  test('nothing can be missing before offset 0, and what is open itself is not missing', () => {
    expect(
      decide(claimedItem({ progress: progressOf({ pending: [{ from: 0, to: 1 }] }) }), batchOf(0, 1)).verdict,
    ).toEqual({
      type: 'run',
    });
  });
});

test.each([
  [[], 'none'],
  [[{ from: 5, to: 5 }], '5'],
  [
    [
      { from: 5, to: 7 },
      { from: 9, to: 9 },
    ],
    '5–7, 9',
  ],
  [Array.from({ length: 11 }, (_, index) => ({ from: index * 2, to: index * 2 })), '0, 2, 4, 6, 8, 10, 12, 14, 16, 18'],
])('offsets %o read as %s', (ranges, text) => {
  expect(describeOffsets(ranges)).toBe(text);
});
