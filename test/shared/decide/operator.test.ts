import { expect, test } from 'vitest';
import { decideChange } from '../../../shared/decide/operator.ts';
import { headAt, progressOf } from '../../fixtures/progress.ts';

test('a skipped head is settled, and the gate that waited for it opens', () => {
  const progress = progressOf({
    settled: [{ from: 0, to: 9 }],
    pending: [{ from: 10, to: 12 }],
    heads: new Map([[10, headAt(10, { attempts: 3 })]]),
    gate: { offset: 10, since: 1, sightings: 0 },
    consecutiveDeadLetters: 4,
  });

  const decided = decideChange(progress, { type: 'skip', offset: 10 }, 5_000);

  expect(decided).toMatchObject({
    type: 'change',
    text: 'settles offset 10 (3 attempts, 0 interruptions) without handling it and without a letter',
    progress: { settled: [{ from: 0, to: 10 }], pending: [{ from: 11, to: 12 }], consecutiveDeadLetters: 4 },
  });
  expect(decided.type === 'change' && decided.progress.heads.size).toBe(0);
  expect(decided.type === 'change' && decided.progress.gate).toBeUndefined();
});

test.each([
  [9, 'offset 9 is settled already'],
  [13, 'offset 13 blocks nothing: heads are at 10, pending 10'],
])('refuses to skip %d, which blocks nothing', (offset, why) => {
  const progress = progressOf({
    settled: [{ from: 0, to: 9 }],
    pending: [{ from: 10, to: 10 }],
    heads: new Map([[10, headAt(10)]]),
  });

  expect(decideChange(progress, { type: 'skip', offset }, 5_000)).toEqual({ type: 'refused', why });
});

test('a halted replay is taken as duplicates up to the end of what was refused', () => {
  const progress = progressOf({ floor: 20, standing: [{ from: 5, to: 24 }] });

  expect(decideChange(progress, { type: 'acceptAsDuplicates' }, 5_000)).toMatchObject({
    progress: { standing: [], skipBelow: 25, pending: [] },
  });
});

test('a halted replay that shall run becomes pending', () => {
  const progress = progressOf({ floor: 20, settled: [{ from: 20, to: 22 }], standing: [{ from: 5, to: 24 }] });

  expect(decideChange(progress, { type: 'acceptToRun' }, 5_000)).toMatchObject({
    progress: {
      standing: [],
      runBelow: 25,
      pending: [
        { from: 5, to: 19 },
        { from: 23, to: 24 },
      ],
    },
  });
});

test('refuses to accept a replay that nothing halted', () => {
  expect(decideChange(progressOf({}), { type: 'acceptToRun' }, 5_000)).toEqual({
    type: 'refused',
    why: 'no replay is halted: nothing stands',
  });
});

test('a reset forgets everything', () => {
  const progress = progressOf({ settled: [{ from: 0, to: 9 }], floor: 3, skipBelow: 3, consecutiveDeadLetters: 7 });

  expect(decideChange(progress, { type: 'reset' }, 5_000)).toMatchObject({
    progress: { settled: [], pending: [], marks: [], standing: [], consecutiveDeadLetters: 0 },
  });
});

test('the flood breaker is closed by hand, if it counts anything', () => {
  expect(decideChange(progressOf({ consecutiveDeadLetters: 100 }), { type: 'closeBreaker' }, 1)).toMatchObject({
    progress: { consecutiveDeadLetters: 0 },
  });
  expect(decideChange(progressOf({}), { type: 'closeBreaker' }, 1).type).toBe('refused');
});
