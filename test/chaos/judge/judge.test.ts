import { describe, expect, test } from 'vitest';
import type { Evidence, FoundLetter, HandlerEvent, LedgerEvent, Standstill } from '../evidence.ts';
import type { PlannedRecord } from '../plan.ts';
import { judge } from './judge.ts';

const SUCCEEDING: PlannedRecord = { partition: 0, offset: 0, key: 'a', value: '{}', does: 'succeed' };
const REFUSED: PlannedRecord = { partition: 0, offset: 1, key: 'b', value: '{}', does: 'refuse' };
const LAST: PlannedRecord = { partition: 0, offset: 2, key: 'c', value: '{}', does: 'succeed' };

const LETTER: FoundLetter = {
  partition: 0,
  offset: 1,
  id: 'letter-1',
  deadLetteredAt: 30,
  where: 'topic',
  key: 'b',
  value: '{}',
};

function event(what: HandlerEvent['what'], offset: number, at: number, epoch = 1): HandlerEvent {
  return { what, partition: 0, offset, attempt: 1, epoch, at };
}

function write(to: number, at: number, epoch = 1): Extract<LedgerEvent, { type: 'write' }> {
  const settled = [{ from: 0, to }];
  return { type: 'write', partition: 0, epoch, settled, askedAt: at - 1, at, fate: 'applied', disturbed: false };
}

const claimed = (epoch: number, at: number): LedgerEvent => ({ type: 'claimed', partition: 0, epoch, at });

/** Three records that went as they should: handled, dead-lettered, handled. */
const KEPT: Evidence = {
  topic: 't',
  partitions: 1,
  checkpointMs: 200,
  produced: [SUCCEEDING, REFUSED, LAST],
  history: [
    event('started', 0, 10),
    event('done', 0, 15),
    event('started', 1, 20),
    event('started', 2, 40),
    event('done', 2, 45),
  ],
  letters: [LETTER],
  ledger: [claimed(1, 5), write(2, 50)],
  pending: new Map([[0, []]]),
  untrueAnswers: [],
  abandoned: [],
};

test('finds nothing in a run that kept every promise', () => {
  expect(judge(KEPT)).toEqual([]);
});

describe('finds', () => {
  test('a record that was neither handled nor dead-lettered', () => {
    expect(judge({ ...KEPT, history: KEPT.history.slice(0, 3) })).toEqual([
      { promise: 'lost', text: 't-0@2 (succeed) was neither handled nor dead-lettered' },
    ]);
  });

  test('a standstill as one, with offsets, members and pollers: what the group has yet to get to is not lost', () => {
    const standstill: Standstill = {
      ...{ seconds: 60, committed: new Map([[0, 1]]), groupState: 'Stable', pollers: 1 },
      members: [
        { id: 'member-a', partitions: [] },
        { id: 'member-b', partitions: [0] },
      ],
    };
    const history = KEPT.history.slice(0, 2);
    const ledger = [claimed(1, 5), write(0, 50)];
    const pending = new Map([[0, [{ from: 1, to: 2 }]]]);

    expect(judge({ ...KEPT, history, letters: [], ledger, pending, standstill })).toEqual([
      { promise: 'stuck', text: 't-0@1 of @3 for 60 s, held by member-b' },
      { promise: 'stuck', text: 'the group of t is Stable, with 2 members and 1 poller' },
    ]);
  });

  test('what a standstill leaves behind the group, or the ledger calls settled, as lost all the same', () => {
    const standstill: Standstill = {
      ...{ seconds: 60, committed: new Map([[0, 2]]), groupState: 'Empty', pollers: 0, members: [] },
    };
    const evidence = { ...KEPT, history: [], letters: [], ledger: [claimed(1, 5), write(2, 50)], standstill };

    expect(judge(evidence)).toEqual([
      { promise: 'stuck', text: 't-0@2 of @3 for 60 s, held by nobody' },
      { promise: 'stuck', text: 'the group of t is Empty, with 0 members and 0 pollers' },
      { promise: 'lost', text: 't-0@0 (succeed) was neither handled nor dead-lettered' },
      { promise: 'lost', text: 't-0@1 (refuse) was neither handled nor dead-lettered' },
      { promise: 'lost', text: 't-0@2 (succeed) was neither handled nor dead-lettered' },
      { promise: 'letterMissing', text: 't-0@1 (refuse) has no letter' },
    ]);
  });

  test('a record that the ledger never had as settled, or still waits for', () => {
    expect(
      judge({ ...KEPT, ledger: [claimed(1, 5), write(1, 50)], pending: new Map([[0, [{ from: 2, to: 2 }]]]) }),
    ).toEqual([
      { promise: 'unsettled', text: 't-0@2 (succeed) was never recorded as settled' },
      { promise: 'unsettled', text: 't-0@2 to @2 is still pending' },
    ]);
  });

  test('a record that starts again after the ledger had recorded it', () => {
    const history = [...KEPT.history, event('started', 2, 60, 2), event('done', 2, 61, 2)];

    expect(judge({ ...KEPT, history })).toEqual([
      { promise: 'rerun', text: 't-0@2 started 10 ms after the ledger had recorded it, epoch 2' },
    ]);
  });

  test('a record that its invocation had enough time to record, and did not', () => {
    const history = [
      event('started', 0, 10),
      event('done', 0, 15),
      event('started', 1, 20),
      event('started', 1, 3_000),
      event('started', 0, 9_000, 2),
      event('done', 0, 9_001, 2),
      event('started', 2, 9_002, 2),
      event('done', 2, 9_003, 2),
    ];
    const ledger = [claimed(1, 5), claimed(2, 8_999), write(2, 9_100, 2)];
    const letters = [{ ...LETTER, deadLetteredAt: 3_001 }];

    expect(judge({ ...KEPT, history, ledger, letters })).toEqual([
      {
        promise: 'window',
        text: 't-0@0 started again: epoch 1 had handled it, lived on for 2985 ms, and never asked for it to be recorded',
      },
    ]);
  });

  test('nothing in a record that ran again because its checkpoint was on its way when the process died', () => {
    const history = [
      ...[event('started', 0, 10), event('done', 0, 15), event('started', 0, 9_000, 2), event('done', 0, 9_001, 2)],
      ...[event('started', 1, 9_002, 2), event('started', 2, 9_003, 2), event('done', 2, 9_004, 2)],
    ];
    const ledger = [claimed(1, 5), claimed(2, 8_999), write(2, 9_100, 2)];

    expect(judge({ ...KEPT, history, ledger, letters: [{ ...LETTER, deadLetteredAt: 9_003 }] })).toEqual([]);
  });

  test('a record that starts before an earlier one is through', () => {
    const history = [event('started', 0, 10), event('started', 2, 11), event('done', 0, 15), event('done', 2, 45)];

    expect(judge({ ...KEPT, history })).toEqual([
      { promise: 'order', text: 't-0@2 started while @0 was neither handled nor dead-lettered' },
    ]);
  });

  test('a follower that starts before the letter of the record before it', () => {
    expect(judge({ ...KEPT, letters: [{ ...LETTER, deadLetteredAt: 41 }] })).toEqual([
      { promise: 'order', text: 't-0@2 started while @1 was neither handled nor dead-lettered' },
    ]);
  });

  test('a record that starts under a claim that another one succeeded', () => {
    const history = [event('started', 0, 10, 2), event('done', 0, 15, 2), ...KEPT.history.slice(2)];

    expect(judge({ ...KEPT, history, ledger: [claimed(1, 5), claimed(2, 6), write(2, 50, 2)] })).toEqual([
      { promise: 'order', text: 't-0@1 started under epoch 1, after epoch 2 had started something' },
      { promise: 'order', text: 't-0@2 started under epoch 1, after epoch 2 had started something' },
    ]);
  });

  test('a letter that is missing', () => {
    expect(judge({ ...KEPT, letters: [] }).filter(({ promise }) => promise === 'letterMissing')).toEqual([
      { promise: 'letterMissing', text: 't-0@1 (refuse) has no letter' },
    ]);
  });

  test('two letters for one record, unless they are copies with one id', () => {
    expect(judge({ ...KEPT, letters: [LETTER, { ...LETTER, where: 'queue' }] })).toEqual([]);
    expect(judge({ ...KEPT, letters: [LETTER, { ...LETTER, id: 'letter-2' }] })).toEqual([
      { promise: 'letterDoubled', text: 't-0@1 has letters letter-1 and letter-2' },
    ]);
  });

  test('a dead letter for a record that succeeds, and a handling in spite of a dead letter', () => {
    const letters = [LETTER, { ...LETTER, offset: 2, id: 'letter-2', key: 'c', deadLetteredAt: 46 }];

    expect(judge({ ...KEPT, letters })).toEqual([
      { promise: 'letterForeign', text: 't-0@2 (succeed) has a letter' },
      { promise: 'both', text: 't-0@2 was handled and has a letter' },
    ]);
  });

  test('a letter with other bytes than its record', () => {
    expect(judge({ ...KEPT, letters: [{ ...LETTER, value: '{ }' }] })).toEqual([
      { promise: 'letterForeign', text: 'the letter of t-0@1 has other bytes' },
    ]);
  });

  test('a record that starts again after its letter', () => {
    const history = [
      ...KEPT.history.slice(0, 3),
      event('started', 1, 35, 2),
      event('started', 2, 40, 2),
      event('done', 2, 45, 2),
    ];

    expect(judge({ ...KEPT, history })).toEqual([{ promise: 'both', text: 't-0@1 started after its letter, epoch 2' }]);
  });

  test('a write that the ledger took from a claim that another one succeeded', () => {
    expect(judge({ ...KEPT, ledger: [claimed(1, 5), write(2, 50), claimed(2, 60), write(2, 70)] })).toEqual([
      { promise: 'fencing', text: 't-0: a write of epoch 1 (t-0@0 to @2 settled) was taken under epoch 2' },
    ]);
  });
});
