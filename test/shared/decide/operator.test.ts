import { expect, test } from 'vitest';
import { decideChange } from '../../../shared/decide/operator.ts';
import { replayCommands, UNKNOWN_TARGET } from '../../../shared/decide/operator-commands.ts';
import { blockedRecordAt, identity, progressOf } from '../../fixtures/progress.ts';

test('a skipped blocked record is settled, and the wait for it ends', () => {
  const progress = progressOf({
    settled: [{ from: 0, to: 9 }],
    pending: [{ from: 10, to: 12 }],
    blockedRecords: new Map([[10, blockedRecordAt(10, { attempts: 3 })]]),
    missingRecord: { offset: 10, since: 1, laterBatches: 0 },
    consecutiveDeadLetters: 4,
  });

  const decided = decideChange(progress, { type: 'skip', offset: 10 }, 5_000);

  expect(decided).toMatchObject({
    type: 'change',
    text: 'settles offset 10 (3 attempts, 0 interruptions) without handling it and without a dead letter',
    progress: { settled: [{ from: 0, to: 10 }], pending: [{ from: 11, to: 12 }], consecutiveDeadLetters: 4 },
  });
  expect(decided.type === 'change' && decided.progress.blockedRecords.size).toBe(0);
  expect(decided.type === 'change' && decided.progress.missingRecord).toBeUndefined();
});

test('a skipped blocked record that is not pending is settled, too, and the newest time is its own if that is later', () => {
  const progress = progressOf({
    blockedRecords: new Map([[10, blockedRecordAt(10, { interruptions: 2 })]]),
    newestTimestamp: 900,
    consecutiveDeadLetters: 4,
  });

  expect(decideChange(progress, { type: 'skip', offset: 10 }, 5_000)).toEqual({
    type: 'change',
    text: 'settles offset 10 (0 attempts, 2 interruptions) without handling it and without a dead letter',
    progress: progressOf({ settled: [{ from: 10, to: 10 }], newestTimestamp: 1_010, consecutiveDeadLetters: 4 }),
  });
});

test('a skipped record that was never tried is settled without a time of its own', () => {
  const pending = [{ from: 10, to: 10 }];
  const skip = { type: 'skip', offset: 10 } as const;
  const settled = [{ from: 10, to: 10 }];

  expect(decideChange(progressOf({ pending, newestTimestamp: 900 }), skip, 5_000)).toEqual({
    type: 'change',
    text: 'settles offset 10 (never tried) without handling it and without a dead letter',
    progress: progressOf({ settled, newestTimestamp: 900 }),
  });
  expect(decideChange(progressOf({ pending }), skip, 5_000)).toMatchObject({
    progress: progressOf({ settled, newestTimestamp: 5_000 }),
  });
});

test('a skipped record runs no more, another one does', () => {
  const pending = [{ from: 10, to: 11 }];
  const running = (offset: number) => progressOf({ pending, isolateUntil: 11, running: identity(offset) });

  const decided = [10, 11].map((offset) => decideChange(running(offset), { type: 'skip', offset: 10 }, 5_000));

  expect(decided.map((change) => change.type === 'change' && change.progress.running)).toEqual([
    undefined,
    identity(11),
  ]);
});

test.each([
  [9, 'offset 9 is settled already'],
  [13, 'offset 13 blocks nothing: blocked records are at 10, pending 10'],
])('refuses to skip %d, which blocks nothing', (offset, why) => {
  const progress = progressOf({
    settled: [{ from: 0, to: 9 }],
    pending: [{ from: 10, to: 10 }],
    blockedRecords: new Map([[10, blockedRecordAt(10)]]),
  });

  expect(decideChange(progress, { type: 'skip', offset }, 5_000)).toEqual({ type: 'refused', why });
});

test('refuses to skip what blocks nothing, and says what does', () => {
  const skip = { type: 'skip', offset: 5 } as const;
  const blockedRecords = new Map([10, 12].map((offset) => [offset, blockedRecordAt(offset)]));

  expect(decideChange(progressOf({}), skip, 5_000)).toEqual({
    type: 'refused',
    why: 'offset 5 blocks nothing: there is no blocked record, pending none',
  });
  expect(decideChange(progressOf({ blockedRecords }), skip, 5_000)).toEqual({
    type: 'refused',
    why: 'offset 5 blocks nothing: blocked records are at 10, 12, pending none',
  });
});

test('refuses to skip a record that is on its way to its parked key: others may wait behind it', () => {
  const marked = blockedRecordAt(10, { exhausted: true, parked: { sequence: 's1', ordinal: 1 } });
  const progress = progressOf({ blockedRecords: new Map([[10, marked]]) });

  expect(decideChange(progress, { type: 'skip', offset: 10 }, 5_000)).toEqual({
    type: 'refused',
    why: 'the record at offset 10 is on its way to its parked key, where others may wait behind it: drop it there',
  });
});

test('a halted replay is taken as duplicates up to the end of what was refused', () => {
  const progress = progressOf({ floor: 20, replayRefused: [{ from: 5, to: 24 }] });

  expect(decideChange(progress, { type: 'acceptAsDuplicates' }, 5_000)).toEqual({
    type: 'change',
    progress: progressOf({ floor: 20, skipBelow: 25 }),
    text: 'takes records below offset 25 that the ledger has forgotten as duplicates (refused so far: 5–24)',
  });
});

test('a halted replay below the floor is decided up to the floor', () => {
  const progress = progressOf({ floor: 20, replayRefused: [{ from: 5, to: 7 }] });

  expect(decideChange(progress, { type: 'acceptAsDuplicates' }, 5_000)).toMatchObject({ progress: { skipBelow: 20 } });
  expect(decideChange(progress, { type: 'acceptToRun' }, 5_000)).toMatchObject({ progress: { runBelow: 20 } });
});

test('a halted replay that shall run becomes pending', () => {
  const progress = progressOf({ floor: 20, settled: [{ from: 20, to: 22 }], replayRefused: [{ from: 5, to: 24 }] });

  expect(decideChange(progress, { type: 'acceptToRun' }, 5_000)).toMatchObject({
    type: 'change',
    text: 'runs 5–24 again, and all other unknown records below 25',
    progress: {
      replayRefused: [],
      runBelow: 25,
      pending: [
        { from: 5, to: 19 },
        { from: 23, to: 24 },
      ],
    },
  });
});

test('who takes records that are newer than all that settled as duplicates means those written until now', () => {
  const progress = progressOf({
    floor: 20,
    newestTimestamp: 4_000,
    replayRefused: [{ from: 5, to: 7 }],
    newestRefused: 4_500,
  });
  const accepted = decideChange(progress, { type: 'acceptAsDuplicates' }, 5_000);

  expect(accepted).toMatchObject({ progress: { skipBelow: 20, newestTimestamp: 5_000, replayRefused: [] } });
  expect(accepted.type === 'change' && accepted.progress.newestRefused).toBeUndefined();
});

test('who takes replayed records as duplicates never makes the newest known time older', () => {
  const progress = progressOf({
    floor: 20,
    newestTimestamp: 9_000,
    replayRefused: [{ from: 5, to: 7 }],
    newestRefused: 4_500,
  });

  expect(decideChange(progress, { type: 'acceptAsDuplicates' }, 5_000)).toMatchObject({
    progress: { newestTimestamp: 9_000 },
  });
});

test('only refused records count as settled where they are taken as duplicates, not other first records of batches', () => {
  const progress = progressOf({ replayRefused: [{ from: 5, to: 5 }], firstRecords: [identity(3), identity(5)] });

  expect(decideChange(progress, { type: 'acceptAsDuplicates' }, 5_000)).toMatchObject({
    progress: { settled: [{ from: 5, to: 5 }] },
  });
});

test('of a replay of old records the newest time stays what it was, whatever is decided', () => {
  const progress = progressOf({ floor: 20, newestTimestamp: 4_000, replayRefused: [{ from: 5, to: 7 }] });

  for (const type of ['acceptAsDuplicates', 'acceptToRun'] as const)
    expect(decideChange(progress, { type }, 5_000)).toMatchObject({ progress: { newestTimestamp: 4_000 } });
});

test('refuses to accept a replay that nothing halted', () => {
  expect(decideChange(progressOf({}), { type: 'acceptToRun' }, 5_000)).toEqual({
    type: 'refused',
    why: 'no replay is halted',
  });
});

test('a reset forgets everything but what the consumer says of itself', () => {
  const progress = progressOf({
    settled: [{ from: 0, to: 9 }],
    pending: [{ from: 10, to: 12 }],
    blockedRecords: new Map([[10, blockedRecordAt(10)]]),
    ...{ floor: 3, skipBelow: 3, consecutiveDeadLetters: 7, maxConsecutiveDeadLetters: 9 },
  });

  expect(decideChange(progress, { type: 'reset' }, 5_000)).toStrictEqual({
    type: 'change',
    progress: progressOf({ maxConsecutiveDeadLetters: 9 }),
    text: 'forgets 10 settled offsets, 1 blocked records and 3 pending offsets; records that Lambda delivers then run, even if they ran before',
  });
});

test('the flood breaker is closed by hand, if it counts anything', () => {
  expect(decideChange(progressOf({ consecutiveDeadLetters: 100 }), { type: 'closeBreaker' }, 1)).toEqual({
    type: 'change',
    progress: progressOf({}),
    text: 'counts consecutive dead letters from 0 again, instead of from 100: exhausted records get dead letters',
  });
  expect(decideChange(progressOf({}), { type: 'closeBreaker' }, 1)).toEqual({
    type: 'refused',
    why: 'no consecutive dead letters are counted: the flood breaker is closed',
  });
});

test('a pause is ended; where there is none, nothing is changed', () => {
  const progress = progressOf({ settled: [{ from: 0, to: 9 }], pausedUntil: 1_800_000_000_000 });
  expect(decideChange(progress, { type: 'liftPause' }, 5_000)).toEqual({
    type: 'change',
    text: 'ends the pause until 2027-01-15T08:00:00.000Z: records are tried again',
    progress: progressOf({ settled: [{ from: 0, to: 9 }] }),
  });
  for (const notPaused of [{ pausedUntil: 4_000 }, { pausedUntil: 5_000 }, {}])
    expect(decideChange(progressOf(notPaused), { type: 'liftPause' }, 5_000)).toEqual({
      type: 'refused',
      why: 'it is not paused',
    });
  expect(decideChange(progressOf({ pausedUntil: 1e300 }), { type: 'liftPause' }, 5_000)).toMatchObject({
    text: 'ends the pause until 1e+300: records are tried again',
  });
});

test('a reset keeps what is due of parked keys: a letter under each ordinal that was given out', () => {
  const marked = blockedRecordAt(10, { exhausted: true, parked: { sequence: 's1', ordinal: 1 } });
  const blockedRecords = new Map([
    [9, blockedRecordAt(9)],
    [10, marked],
  ]);

  expect(decideChange(progressOf({ blockedRecords }), { type: 'reset' }, 5_000)).toMatchObject({
    progress: { ...progressOf({}), goneMarks: [marked] },
  });
});

test('an operator decides about a halted replay by one of three commands', () => {
  const place = { topic: 'orders', partition: 3 };

  expect(replayCommands(place, '--stack Prod --consumer Orders')).toEqual({
    takeAsDuplicates: 'npx lockstep reset orders-3 --stack Prod --consumer Orders --skip --why "..."',
    runAgain: 'npx lockstep reset orders-3 --stack Prod --consumer Orders --run --why "..."',
    forgetPartition: 'npx lockstep reset orders-3 --stack Prod --consumer Orders --why "..."',
  });
  expect(replayCommands(place, UNKNOWN_TARGET)).toMatchObject({
    forgetPartition: 'npx lockstep reset orders-3 --stack <stack> --why "..."',
  });
});

test('a reset forgets all but what is left to the relay: the mapping never sends that again', () => {
  const progress = progressOf({ settled: [{ from: 0, to: 9 }], abandoned: [{ from: 3, to: 4 }] });
  const decided = decideChange(progress, { type: 'reset' }, 0);
  expect(decided).toMatchObject({ type: 'change', progress: { settled: [], abandoned: [{ from: 3, to: 4 }] } });
});
