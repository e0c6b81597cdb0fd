import { expect, test } from 'vitest';
import { type Evidence, type HandlerEvent, judge, type OnTopic } from './judge.ts';
import type { Script } from './plan.ts';

function on(id: string, offset: number, does: Script = 'succeed', more: Partial<OnTopic> = {}): OnTopic {
  return { id, offset, does, key: 'k', value: `v-${id}`, life: 1, partition: 0, ...more };
}
const started = (id: string, at: number): HandlerEvent => ({ what: 'started', id, at });
const done = (id: string, at: number): HandlerEvent => ({ what: 'done', id, at });
const letter = (id: string, deadLetteredAt: number, more: object = {}) => ({
  ...{ id, deadLetterId: `letter-${id}`, key: 'k', value: `v-${id}`, deadLetteredAt },
  ...more,
});

/** Three records of a key, the second is refused, and one of another key. */
const KEPT: Evidence = {
  onTopic: [on('r1', 0), on('r2', 2, 'refuse'), on('r3', 5), on('r4', 3, 'flaky', { key: 'other' })],
  aborted: new Set(['r9']),
  history: [
    started('r1', 1),
    started('r4', 1),
    done('r1', 2),
    started('r2', 3),
    started('r3', 5),
    done('r4', 6),
    done('r3', 7),
  ],
  letters: [letter('r2', 4)],
  samples: [
    { at: 0, done: 0, waiting: 4, ringing: [] },
    { at: 59_000, done: 0, waiting: 4, ringing: [] },
    { at: 61_000, done: 1, waiting: 3, ringing: [] },
    { at: 200_000, done: 1, waiting: 3, ringing: ['blocked-record'] },
    { at: 300_000, done: 4, waiting: 0, ringing: [] },
    { at: 900_000, done: 4, waiting: 0, ringing: [] },
  ],
};

test('a run in which every promise was kept has no findings', () => {
  expect(judge(KEPT)).toEqual([]);
});

test.each<[string, Partial<Evidence>, string]>([
  [
    'a record that nothing became of',
    { onTopic: [...KEPT.onTopic, on('r5', 9)] },
    'lost: r5 (succeed, life 1, 0@9) was neither handled nor dead-lettered',
  ],
  [
    'a record that was handled and dead-lettered',
    { letters: [...KEPT.letters, letter('r1', 9)] },
    'both: r1 (succeed, life 1, 0@0) was handled and dead-lettered',
  ],
  [
    'a letter for what can succeed',
    { letters: [...KEPT.letters, letter('r4', 9, { key: 'other' })] },
    'letter: r4 (flaky, life 1, 0@3) can succeed and has one',
  ],
  [
    'poison without a letter',
    { letters: [], history: [...KEPT.history, done('r2', 9)] },
    'letter: r2 (refuse, life 1, 0@2) has none',
  ],
  [
    'two ids for one record',
    { letters: [...KEPT.letters, letter('r2', 9, { deadLetterId: 'another' })] },
    'letter: r2 (refuse, life 1, 0@2) has letters of several ids',
  ],
  [
    'a letter with another value',
    { letters: [letter('r2', 4, { value: 'other' })] },
    'letter: that of r2 (refuse, life 1, 0@2) has other bytes',
  ],
  [
    'a letter of nothing',
    { letters: [...KEPT.letters, letter('r77', 9)] },
    'letter: one for r77, which is no record of the topic',
  ],
  [
    'a record of an aborted transaction',
    { history: [...KEPT.history, started('r9', 9)] },
    'aborted: r9 of an aborted transaction was handled or dead-lettered',
  ],
  [
    'a record that runs ahead',
    { history: [started('r3', 0), ...KEPT.history] },
    'order: r3 (succeed, life 1, 0@5) started before r1 (succeed, life 1, 0@0) was settled',
  ],
  [
    'one that runs ahead of a letter',
    { letters: [letter('r2', 6)] },
    'order: r3 (succeed, life 1, 0@5) started before r2 (refuse, life 1, 0@2) was settled',
  ],
  [
    'a standstill without an alarm',
    { samples: KEPT.samples.map((sample) => ({ ...sample, ringing: [] })) },
    'unseen: nothing got done for 139 s, 3 records waited, and no alarm rang',
  ],
])('finds %s', (_, change, finding) => {
  expect(judge({ ...KEPT, ...change })).toContain(finding);
});

test('offsets of another topic or partition say nothing about order', () => {
  const elsewhere = [on('r5', 0, 'succeed', { life: 2 }), on('r6', 0, 'succeed', { partition: 1 })];
  const history = [started('r6', 0), done('r6', 0), started('r5', 0), done('r5', 0), ...KEPT.history];
  expect(judge({ ...KEPT, onTopic: [...KEPT.onTopic, ...elsewhere], history })).toEqual([]);
});
