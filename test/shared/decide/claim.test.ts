import { describe, expect, test } from 'vitest';
import { type ClaimPolicy, decideClaim } from '../../../shared/decide/claim.ts';
import type { PartitionItem, RecordIdentity } from '../../../shared/decide/progress.ts';
import { batchOf, claimedItem, headAt, identity, progressOf } from '../../fixtures/progress.ts';

const policy: ClaimPolicy = { onReplay: 'halt', headGateMs: 300_000 };

function decide(
  item: PartitionItem,
  records: readonly RecordIdentity[],
  { now = 0, ...changes }: Partial<ClaimPolicy> & { now?: number } = {},
) {
  const decision = decideClaim(item, 'me', records, now, { ...policy, ...changes });
  return { ...decision, openOffsets: decision.open.map(({ offset }) => offset) };
}

describe('a fresh partition', () => {
  test('runs all of its first batch and owes it', () => {
    const decision = decide(claimedItem(), batchOf(41, 42, 44));

    expect(decision.verdict).toEqual({ type: 'run' });
    expect(decision.openOffsets).toEqual([41, 42, 44]);
    expect(decision.owed).toEqual([
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
  test('leaves its unsettled offsets pending, to be run carefully', () => {
    const item = claimedItem({
      progress: progressOf({ settled: [{ from: 0, to: 11 }], newestTimestamp: 2_000 }),
      dead: [[10, 11, 12, 13]],
    });

    const decision = decide(item, batchOf(12, 13, 14));

    expect(decision.progress.pending).toEqual([{ from: 12, to: 13 }]);
    expect(decision.progress.carefulUntil).toBe(13);
    expect(decision.verdict).toEqual({ type: 'run' });
  });

  test('has its death put down to the record that it was running', () => {
    const item = claimedItem({ progress: progressOf({ running: identity(12), carefulUntil: 13 }), dead: [[12, 13]] });

    const decision = decide(item, batchOf(12, 13));

    expect(decision.progress.heads.get(12)).toMatchObject({ interruptions: 1, attempts: 0 });
    expect(decision.progress.running).toBeUndefined();
    expect(decision.interrupted).toEqual(identity(12));
  });

  test('that had settled all it claimed leaves no careful mode', () => {
    const item = claimedItem({
      progress: progressOf({ settled: [{ from: 0, to: 13 }], newestTimestamp: 2_000 }),
      dead: [[12, 13]],
    });

    expect(decide(item, batchOf(14)).progress.carefulUntil).toBeUndefined();
  });
});

describe('careful mode', () => {
  test('goes on while anything at or below its end is pending', () => {
    const item = claimedItem({ progress: progressOf({ carefulUntil: 13, pending: [{ from: 13, to: 13 }] }) });

    expect(decide(item, batchOf(13, 14)).progress.carefulUntil).toBe(13);
  });

  test('ends when nothing up to its end is left', () => {
    const item = claimedItem({
      progress: progressOf({ carefulUntil: 13, settled: [{ from: 0, to: 13 }], newestTimestamp: 2_000 }),
    });

    expect(decide(item, batchOf(14)).progress.carefulUntil).toBeUndefined();
  });
});

describe('a recreated topic', () => {
  const settled = progressOf({
    settled: [{ from: 0, to: 99 }],
    newestTimestamp: 1_099,
    marks: [identity(0), identity(50)],
  });

  test('is recognised by a settled offset that is newer than all that settled, and progress starts afresh', () => {
    const decision = decide(claimedItem({ progress: settled }), [
      identity(3, { timestamp: 5_000 }),
      identity(4, { timestamp: 5_001 }),
    ]);

    expect(decision.recreatedBy?.offset).toBe(3);
    expect(decision.openOffsets).toEqual([3, 4]);
    expect(decision.progress.settled).toEqual([]);
  });

  test('is recognised by a mark with another value', () => {
    const decision = decide(claimedItem({ progress: settled }), [identity(50, { valueHash: 'another' }), identity(51)]);

    expect(decision.recreatedBy?.offset).toBe(50);
    expect(decision.openOffsets).toEqual([50, 51]);
  });

  test('is recognised by a head whose record is another one', () => {
    const progress = progressOf({ heads: new Map([[7, headAt(7, { attempts: 2 })]]), pending: [{ from: 7, to: 7 }] });

    const decision = decide(claimedItem({ progress }), [identity(7, { timestamp: 9_999 })]);

    expect(decision.recreatedBy?.offset).toBe(7);
    expect(decision.progress.heads.size).toBe(0);
  });

  test('is not seen where the same record came back', () => {
    expect(decide(claimedItem({ progress: settled }), batchOf(50, 51)).recreatedBy).toBeUndefined();
  });
});

describe('before memory', () => {
  const forgetful = progressOf({ settled: [{ from: 500, to: 599 }], floor: 500, newestTimestamp: 1_599 });

  test('halts, and what was refused is not pending', () => {
    const decision = decide(claimedItem({ progress: forgetful }), batchOf(498, 499, 500));

    expect(decision.verdict).toEqual({ type: 'replayHalted', news: true });
    expect(decision.progress.standing).toEqual([{ from: 498, to: 500 }]);
    expect(decision.owed).toEqual([]);
  });

  test('holds later batches too: the partition stands still, not the batch', () => {
    const item = claimedItem({ progress: { ...forgetful, standing: [{ from: 498, to: 499 }] } });

    const decision = decide(item, batchOf(600, 601));

    expect(decision.verdict).toEqual({ type: 'replayHalted', news: false });
    expect(decision.owed).toEqual([{ from: 600, to: 601 }]);
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
      news: true,
    });
  });

  test('does not cover what is pending: that was owed', () => {
    const item = claimedItem({ progress: { ...forgetful, pending: [{ from: 498, to: 499 }] } });

    expect(decide(item, batchOf(498, 499)).openOffsets).toEqual([498, 499]);
  });
});

describe('the order gate', () => {
  const waiting = progressOf({
    settled: [{ from: 0, to: 40 }],
    pending: [{ from: 41, to: 41 }],
    newestTimestamp: 1_040,
  });

  test('reports a batch that overtook a retry', () => {
    const decision = decide(claimedItem({ progress: waiting }), batchOf(42, 43), { now: 10_000 });

    expect(decision.verdict).toEqual({ type: 'gated', waitsFor: 41 });
    expect(decision.progress.gate).toEqual({ offset: 41, since: 10_000, sightings: 0 });
    expect(decision.owed).toEqual([{ from: 42, to: 43 }]);
  });

  test('opens when the offset that is waited for comes back', () => {
    const item = claimedItem({ progress: { ...waiting, gate: { offset: 41, since: 10_000, sightings: 0 } } });

    const decision = decide(item, batchOf(41, 42), { now: 20_000 });

    expect(decision.verdict).toEqual({ type: 'run' });
    expect(decision.progress.gate).toBeUndefined();
  });

  test('stays for the offset that is waited for while others come back', () => {
    const item = claimedItem({
      progress: {
        ...waiting,
        pending: [{ from: 38, to: 41 }],
        settled: [{ from: 0, to: 37 }],
        gate: { offset: 41, since: 10_000, sightings: 2 },
      },
    });

    expect(decide(item, batchOf(38, 39, 40), { now: 20_000 }).progress.gate).toEqual({
      offset: 41,
      since: 10_000,
      sightings: 2,
    });
  });

  test('counts no sighting before its time is over', () => {
    const item = claimedItem({ progress: { ...waiting, gate: { offset: 41, since: 0, sightings: 0 } } });

    expect(decide(item, batchOf(42), { now: 300_000 }).progress.gate).toEqual({ offset: 41, since: 0, sightings: 0 });
    expect(decide(item, batchOf(42), { now: 300_001 }).progress.gate).toEqual({ offset: 41, since: 0, sightings: 1 });
  });

  test('takes what is missing for lost at the third sighting', () => {
    const item = claimedItem({ progress: { ...waiting, gate: { offset: 41, since: 0, sightings: 2 } } });

    const decision = decide(item, batchOf(42), { now: 300_001 });

    expect(decision.verdict).toMatchObject({
      type: 'abandon',
      offsets: [{ from: 41, to: 41 }],
      progress: { pending: [] },
    });
    expect(decision.progress.pending).toEqual([{ from: 41, to: 41 }]);
  });
});

test('a pending offset inside the batch’s range but absent from it no longer exists', () => {
  const item = claimedItem({
    progress: progressOf({ pending: [{ from: 41, to: 43 }], heads: new Map([[42, headAt(42, { attempts: 1 })]]) }),
  });

  const decision = decide(item, batchOf(41, 43));

  expect(decision.progress.pending).toEqual([
    { from: 41, to: 41 },
    { from: 43, to: 43 },
  ]);
  expect(decision.progress.heads.size).toBe(0);
});

test('a paused partition stands still until its time', () => {
  const item = claimedItem({ progress: progressOf({ pausedUntil: 5_000 }) });

  expect(decide(item, batchOf(1), { now: 4_999 }).verdict).toEqual({ type: 'paused', until: 5_000 });
  expect(decide(item, batchOf(1), { now: 5_000 }).verdict).toEqual({ type: 'run' });
});
