import { expect, test } from 'vitest';
import { stateOf } from '../../cli/consumer-state.ts';
import type { Progress } from '../../shared/decide/progress.ts';
import { blockedRecordAt, progressOf } from '../fixtures/progress.ts';

const NOW = 1_000_000;

function state(changes: Partial<Progress>, isHeld = false) {
  return stateOf({ epoch: 1, rev: 1, leaseUntil: 0, claims: [], progress: progressOf(changes) }, NOW, isHeld);
}

test.each<[string, Partial<Progress>]>([
  ['ok', {}],
  ['replay halted', { replayRefused: [{ from: 1, to: 2 }], blockedRecords: new Map([[5, blockedRecordAt(5)]]) }],
  ['flood breaker', { blockedRecords: new Map([[5, blockedRecordAt(5)]]), consecutiveDeadLetters: 100 }],
  [
    'flood breaker',
    { blockedRecords: new Map([[5, blockedRecordAt(5)]]), consecutiveDeadLetters: 5, maxConsecutiveDeadLetters: 5 },
  ],
  [
    'blocked',
    {
      blockedRecords: new Map([[5, blockedRecordAt(5)]]),
      consecutiveDeadLetters: 100,
      maxConsecutiveDeadLetters: Number.POSITIVE_INFINITY,
    },
  ],
  ['blocked', { blockedRecords: new Map([[5, blockedRecordAt(5)]]) }],
  ['full', { blockedRecords: new Map(Array.from({ length: 200 }, (_, at) => [at, blockedRecordAt(at)])) }],
  ['full', { settled: Array.from({ length: 1_000 }, (_, at) => ({ from: 2 * at, to: 2 * at })) }],
  ['waiting', { missingRecord: { offset: 5, since: 1, laterBatches: 0 } }],
  ['paused', { pausedUntil: NOW + 1 }],
  ['paused', { pausedUntil: NOW + 1, blockedRecords: new Map([[5, blockedRecordAt(5)]]) }],
  ['blocked', { pausedUntil: NOW + 1, blockedRecords: new Map([[5, blockedRecordAt(5, { attempts: 1 })]]) }],
  ['ok', { pausedUntil: NOW - 1 }],
])('says %s', (expected, changes) => {
  expect(state(changes)).toBe(expected);
});

test('a record whose letter is on its way out blocks nothing while an invocation is at it', () => {
  const blockedRecords = new Map([[5, blockedRecordAt(5, { exhausted: true })]]);
  expect(state({ blockedRecords, consecutiveDeadLetters: 200 }, true)).toBe('running');
  expect(state({ blockedRecords }, false)).toBe('blocked');
});
