import { describe, expect, test } from 'vitest';
import {
  afterOutcome,
  type MappingRules,
  nextBatch,
  type PollerState,
  type QueuedRecord,
  readAnswer,
  retryLimit,
} from '../../../../infra/local/event-source/decide.ts';
import { answered, fetch, offsetsOf, pollerWith, rules, send } from './a-poller.ts';

/** Sends one event of both partitions, ends it so, and lists what the next events hold while each succeeds. */
function eventsAfter(outcome: Parameters<typeof afterOutcome>[2], given: MappingRules): Record<string, number[]>[] {
  const sent = send(pollerWith({ 'orders-0': [41, 42, 43, 44], 'orders-1': [7, 8] }), given);
  const newer = fetch(fetch(sent.state, 'orders-0', [45]), 'orders-1', [9]);
  return drain(afterOutcome(newer, sent.batch, outcome, 0, given).state, given, 0);
}

function drain(start: PollerState<QueuedRecord>, given: MappingRules, nowMs: number): Record<string, number[]>[] {
  const events: Record<string, number[]>[] = [];
  let state = start;
  for (let next = nextBatch(state, nowMs, given); next.type === 'send'; next = nextBatch(state, nowMs, given)) {
    events.push(offsetsOf(next.batch));
    state = afterOutcome(next.state, next.batch, answered(), nowMs, given).state;
  }
  return events;
}

const failed42 = answered(['orders-0', 42], ['orders-0', 44]);

describe('an answer that reports 42 and 44 of orders-0', () => {
  test('reading lowest: resumes at 42, the newer record in the same event', () => {
    expect(eventsAfter(failed42, rules({ reading: 'lowest' }))).toEqual([
      { 'orders-0': [42, 43, 44, 45] },
      { 'orders-1': [9] },
    ]);
  });

  test('reading reported: only 42 and 44 come back, before anything newer of their partition', () => {
    expect(eventsAfter(failed42, rules({ reading: 'reported' }))).toEqual([
      { 'orders-0': [42, 44] },
      { 'orders-1': [9], 'orders-0': [45] },
    ]);
  });

  test('reading batch: the whole event comes back, both partitions of it', () => {
    expect(eventsAfter(failed42, rules({ reading: 'batch' }))).toEqual([
      { 'orders-0': [41, 42, 43, 44], 'orders-1': [7, 8] },
      { 'orders-0': [45], 'orders-1': [9] },
    ]);
  });

  test('reading overtaken: newer records go first while the pause before the retry lasts', () => {
    const given = rules({ reading: 'overtaken', retryDelayMs: 100 });
    const sent = send(pollerWith({ 'orders-0': [41, 42, 43, 44] }), given);
    const newer = fetch(sent.state, 'orders-0', [45]);
    const { state } = afterOutcome(newer, sent.batch, failed42, 0, given);

    const overtaking = send(state, given, 0);
    expect(offsetsOf(overtaking.batch)).toEqual({ 'orders-0': [45] });
    const after = afterOutcome(overtaking.state, overtaking.batch, answered(), 10, given).state;
    expect(nextBatch(after, 10, given)).toMatchObject({ type: 'wait', untilMs: 100 });
    expect(drain(after, given, 100)).toEqual([{ 'orders-0': [42, 44] }]);
  });
});

describe('reading overtaken', () => {
  const given = rules({ reading: 'overtaken', retryDelayMs: 100, batchSize: 2 });

  test('a retry that is due goes before newer records', () => {
    const sent = send(pollerWith({ 'orders-0': [1, 2, 3] }), given);
    const { state } = afterOutcome(sent.state, sent.batch, answered(['orders-0', 2]), 0, given);

    expect(drain(state, given, 100)).toEqual([{ 'orders-0': [2] }, { 'orders-0': [3] }]);
  });

  test('of two retries the one that failed first goes first, each alone', () => {
    const first = send(pollerWith({ 'orders-0': [1, 2, 3, 4] }), given);
    const once = afterOutcome(first.state, first.batch, answered(['orders-0', 1]), 0, given).state;
    const second = send(once, given, 10);
    const { state } = afterOutcome(second.state, second.batch, answered(['orders-0', 4]), 20, given);

    expect(nextBatch(state, 20, given)).toMatchObject({ type: 'wait', untilMs: 100 });
    expect(drain(state, given, 200)).toEqual([{ 'orders-0': [1] }, { 'orders-0': [4] }]);
  });

  test('while new records wait for their window, a retry is due at its own time', () => {
    const windowed = { ...given, batchingWindowMs: 500 };
    const sent = send(pollerWith({ 'orders-0': [1, 2, 3] }), windowed);
    const { state } = afterOutcome(sent.state, sent.batch, answered(['orders-0', 2]), 0, windowed);

    expect(nextBatch(state, 0, windowed)).toMatchObject({ type: 'wait', untilMs: 100 });
  });
});

describe('what travels together', () => {
  test('a retry takes along no retry of another partition that is not due', () => {
    const given = rules({ retryDelayMs: 100, batchSize: 1 });
    const one = send(pollerWith({ 'orders-0': [1], 'orders-1': [1] }), given);
    const two = send(one.state, given);
    const early = afterOutcome(two.state, one.batch, answered(['orders-0', 1]), 0, given).state;
    const late = afterOutcome(early, two.batch, answered(['orders-1', 1]), 50, given).state;

    const wide = { ...given, batchSize: 10 };
    expect(offsetsOf(send(late, wide, 100).batch)).toEqual({ 'orders-0': [1] });
    expect(offsetsOf(send(late, wide, 150).batch)).toEqual({ 'orders-0': [1], 'orders-1': [1] });
  });

  test("records that wait for a retry do not fill another partition's batch", () => {
    const given = rules({ batchSize: 3, batchingWindowMs: 500, retryDelayMs: 1_000 });
    const sent = send(pollerWith({ 'orders-0': [1, 2, 3] }), given);
    const blocked = afterOutcome(sent.state, sent.batch, { type: 'error' }, 0, given).state;
    const waiting = fetch(fetch(blocked, 'orders-0', [4, 5]), 'orders-1', [1]);

    expect(nextBatch(waiting, 0, given)).toMatchObject({ type: 'wait', untilMs: 500 });
  });

  test('what a resumed partition had before and what joined it come back in one event after an error', () => {
    const given = rules({ reading: 'lowest', maxRetryAttempts: 2 });
    const first = send(pollerWith({ 'orders-0': [1] }), given);
    const resumed = afterOutcome(first.state, first.batch, answered(['orders-0', 1]), 0, given).state;
    const second = send(fetch(resumed, 'orders-0', [2]), given);
    const failed = afterOutcome(second.state, second.batch, { type: 'error' }, 0, given).state;

    const third = send(fetch(failed, 'orders-0', [3]), given);
    expect(offsetsOf(third.batch)).toEqual({ 'orders-0': [1, 2] });
    expect([first.batch.resent, second.batch.resent, third.batch.resent]).toEqual([false, true, true]);
    const ended = afterOutcome(third.state, third.batch, { type: 'error' }, 0, given);
    expect(ended.discards.map(({ records }) => records.map(({ offset }) => offset))).toEqual([[1]]);
    expect(offsetsOf(send(ended.state, given).batch)).toEqual({ 'orders-0': [2] });
  });
});

test.each([
  ['nothing', answered(), 0],
  ['what is reported, each once', answered(['orders-0', 42], ['orders-1', 7], ['orders-0', 42]), 2],
  ['all of an event that ended in an error', { type: 'error' } as const, 6],
  ['all of an event whose answer is malformed', { type: 'malformed', found: '' } as const, 6],
])('counts as failed: %s', (_, outcome, expected) => {
  const sent = send(pollerWith({ 'orders-0': [41, 42, 43, 44], 'orders-1': [7, 8] }), rules());

  expect(afterOutcome(sent.state, sent.batch, outcome, 0, rules()).failedCount).toBe(expected);
});

describe('the whole event is retried', () => {
  const whole = [
    { 'orders-0': [41, 42, 43, 44], 'orders-1': [7, 8] },
    { 'orders-0': [45], 'orders-1': [9] },
  ];
  test.each(['lowest', 'reported', 'batch', 'overtaken'] as const)('after an error, reading %s', (reading) => {
    expect(eventsAfter({ type: 'error' }, rules({ reading }))).toEqual(whole);
  });

  test.each([
    ['an offset that was not sent', answered(['orders-0', 42], ['orders-0', 45])],
    ['a partition that was not sent', answered(['orders-2', 7])],
    ['a malformed answer', readAnswer({ batchItemFailures: [{ itemIdentifier: 'orders-0@42' }] })],
    ['a throttled invocation', { type: 'notInvoked' } as const],
  ])('after %s', (_, outcome) => {
    expect(eventsAfter(outcome, rules())).toEqual(whole);
  });
});

test('an answer is ignored where the mapping does not report batch item failures', () => {
  expect(eventsAfter(failed42, rules({ reportsBatchItemFailures: false }))).toEqual([
    { 'orders-0': [45], 'orders-1': [9] },
  ]);
});

test('a malformed answer is ignored there too', () => {
  expect(eventsAfter({ type: 'malformed', found: 'OK' }, rules({ reportsBatchItemFailures: false }))).toEqual([
    { 'orders-0': [45], 'orders-1': [9] },
  ]);
});

test('the pause before a retry holds back the partition that failed and no other', () => {
  const given = rules({ retryDelayMs: 100 });
  const sent = send(pollerWith({ 'orders-0': [1], 'orders-1': [1] }), given);
  const newer = fetch(fetch(sent.state, 'orders-0', [2]), 'orders-1', [2]);
  const { state } = afterOutcome(newer, sent.batch, answered(['orders-0', 1]), 1_000, given);

  const other = send(state, given, 1_000);
  expect(offsetsOf(other.batch)).toEqual({ 'orders-1': [2] });
  expect(nextBatch(other.state, 1_099, given)).toMatchObject({ type: 'wait', untilMs: 1_100 });
  expect(offsetsOf(send(other.state, given, 1_100).batch)).toEqual({ 'orders-0': [1, 2] });
});

describe('giving up', () => {
  test('after the last retry the records that failed are discarded, and the partition goes on', () => {
    const given = rules({ maxRetryAttempts: 1, reading: 'reported' });
    const first = send(pollerWith({ 'orders-0': [1, 2, 3] }), given);
    const retried = afterOutcome(first.state, first.batch, answered(['orders-0', 2]), 0, given);
    expect(retried.discards).toEqual([]);

    const second = send(retried.state, given);
    const ended = afterOutcome(second.state, second.batch, answered(['orders-0', 2]), 0, given);
    expect(ended.discards).toMatchObject([
      { partition: 'orders-0', records: [{ offset: 2 }], condition: 'RetryAttemptsExhausted', invokeCount: 2 },
    ]);
    expect(drain(fetch(ended.state, 'orders-0', [4]), given, 0)).toEqual([{ 'orders-0': [4] }]);
  });

  test('a run of which nothing is reported is gone', () => {
    const given = rules({ reading: 'lowest' });
    const first = send(pollerWith({ 'orders-0': [1] }), given);
    const resumed = afterOutcome(first.state, first.batch, answered(['orders-0', 1]), 0, given).state;
    const second = send(fetch(resumed, 'orders-0', [2]), given);

    const { state } = afterOutcome(second.state, second.batch, answered(['orders-0', 2]), 0, given);
    expect(state.queues.get('orders-0')?.retries).toMatchObject([{ records: [{ offset: 2 }], attempts: 1 }]);
  });

  test('records that joined a resumed partition later have their own count', () => {
    const given = rules({ maxRetryAttempts: 1, reading: 'lowest' });
    const first = send(pollerWith({ 'orders-0': [1] }), given);
    const resumed = afterOutcome(first.state, first.batch, answered(['orders-0', 1]), 0, given).state;
    const second = send(fetch(resumed, 'orders-0', [2]), given);
    expect(offsetsOf(second.batch)).toEqual({ 'orders-0': [1, 2] });

    const ended = afterOutcome(second.state, second.batch, answered(['orders-0', 1], ['orders-0', 2]), 0, given);
    expect(ended.discards.map(({ records }) => records.map(({ offset }) => offset))).toEqual([[1]]);
    expect(drain(ended.state, given, 0)).toEqual([{ 'orders-0': [2] }]);
  });

  test.each([
    ['a malformed answer', { type: 'malformed', found: '' } as const, rules({ maxRetryAttempts: 0 })],
    ['a failure, reading batch', answered(['orders-0', 1]), rules({ maxRetryAttempts: 0, reading: 'batch' })],
    ['a foreign identifier', answered(['orders-0', 9]), rules({ maxRetryAttempts: 0 })],
  ])('uses up a retry: %s', (_, outcome, given) => {
    const first = send(pollerWith({ 'orders-0': [1] }), given);

    expect(afterOutcome(first.state, first.batch, outcome, 0, given).discards).toHaveLength(1);
  });

  test('an invocation that never reached the function uses up no retry', () => {
    const given = rules({ maxRetryAttempts: 0 });
    const first = send(pollerWith({ 'orders-0': [1] }), given);
    expect(afterOutcome(first.state, first.batch, { type: 'notInvoked' }, 0, given).discards).toEqual([]);
    expect(afterOutcome(first.state, first.batch, { type: 'error' }, 0, given).discards).toHaveLength(1);
  });

  test('infinite retries are 10 once there is a destination', () => {
    expect(retryLimit(-1, true)).toBe(10);
    expect(retryLimit(-1, false)).toBe(Number.POSITIVE_INFINITY);
    expect(retryLimit(undefined, true)).toBe(10);
    expect(retryLimit(0, true)).toBe(0);
    expect(retryLimit(500, false)).toBe(500);
  });
});

describe('bisect on function error', () => {
  const given = rules({ bisectOnFunctionError: true, maxRetryAttempts: 0 });

  test('a failed event comes back in halves, in order, without using up a retry', () => {
    const sent = send(pollerWith({ 'orders-0': [1, 2, 3], 'orders-1': [7] }), given);
    const { state, discards } = afterOutcome(sent.state, sent.batch, { type: 'error' }, 0, given);

    expect(discards).toEqual([]);
    expect(drain(state, given, 0)).toEqual([{ 'orders-0': [1, 2] }, { 'orders-1': [7], 'orders-0': [3] }]);
  });

  test('the second half waits while the first is retried, however long that takes', () => {
    const infinite = rules({ bisectOnFunctionError: true, retryDelayMs: 100 });
    const sent = send(pollerWith({ 'orders-0': [1, 2, 3] }), infinite);
    const halves = afterOutcome(sent.state, sent.batch, { type: 'error' }, 0, infinite).state;
    const first = send(halves, infinite, 100);
    const failed = afterOutcome(
      first.state,
      first.batch,
      answered(['orders-0', 1], ['orders-0', 2]),
      150,
      infinite,
    ).state;

    expect(nextBatch(failed, 150, infinite)).toMatchObject({ type: 'wait', untilMs: 250 });
    expect(drain(failed, infinite, 250)).toEqual([{ 'orders-0': [1, 2] }, { 'orders-0': [3] }]);
  });

  test('halving goes on down to the one record, which is then discarded', () => {
    let state = pollerWith({ 'orders-0': [1, 2, 3, 4] });
    const succeeded: number[] = [];
    const discarded: number[] = [];
    for (let next = nextBatch(state, 0, given); next.type === 'send'; next = nextBatch(state, 0, given)) {
      const offsets = offsetsOf(next.batch)['orders-0'] ?? [];
      const poisoned = offsets.includes(3);
      if (!poisoned) succeeded.push(...offsets);
      const after = afterOutcome(next.state, next.batch, poisoned ? { type: 'error' } : answered(), 0, given);
      discarded.push(...after.discards.flatMap(({ records }) => records.map(({ offset }) => offset)));
      state = after.state;
    }

    expect(succeeded).toEqual([1, 2, 4]);
    expect(discarded).toEqual([3]);
  });

  test('a half that is resumed takes nothing newer along while the other half waits', () => {
    const lowest = rules({ bisectOnFunctionError: true, reading: 'lowest' });
    const sent = send(pollerWith({ 'orders-0': [1, 2, 3, 4] }), lowest);
    const newer = fetch(sent.state, 'orders-0', [5]);
    const halves = afterOutcome(newer, sent.batch, { type: 'error' }, 0, lowest).state;
    const first = send(halves, lowest);
    const { state } = afterOutcome(first.state, first.batch, answered(['orders-0', 2]), 0, lowest);

    expect(drain(state, lowest, 0)).toEqual([{ 'orders-0': [2] }, { 'orders-0': [3, 4] }, { 'orders-0': [5] }]);
  });

  test('a partition that resumed with newer records is cut where the halves meet', () => {
    const lowest = rules({ bisectOnFunctionError: true, reading: 'lowest' });
    const sent = send(pollerWith({ 'orders-0': [1, 2, 3] }), lowest);
    const resumed = afterOutcome(sent.state, sent.batch, answered(['orders-0', 2]), 0, lowest).state;
    const again = send(fetch(resumed, 'orders-0', [4, 5, 6, 7]), lowest);
    expect(offsetsOf(again.batch)).toEqual({ 'orders-0': [2, 3, 4, 5, 6, 7] });
    const { state } = afterOutcome(again.state, again.batch, { type: 'error' }, 0, lowest);

    expect(drain(state, lowest, 0)).toEqual([{ 'orders-0': [2, 3, 4] }, { 'orders-0': [5, 6, 7] }]);
  });

  test('a partition that lies in one half only waits in that one, and halves of two events are distinguished', () => {
    const given = rules({ bisectOnFunctionError: true });
    const both = pollerWith({ 'orders-0': [1, 2], 'orders-1': [7, 8] });
    const failed = [3, 4].map((batches) => {
      const sent = send({ ...both, batches }, given);
      return afterOutcome(sent.state, sent.batch, { type: 'error' }, 0, given).state;
    });

    expect(
      failed.map(({ queues }) =>
        [...queues.values()].map(({ retries }) =>
          retries.map(({ records, cohort }) => [cohort, ...records.map(({ offset }) => offset)]),
        ),
      ),
    ).toEqual([
      [[[6, 1, 2]], [[7, 7, 8]]],
      [[[8, 1, 2]], [[9, 7, 8]]],
    ]);
  });

  test('a partial answer is not halved', () => {
    const infinite = rules({ bisectOnFunctionError: true, reading: 'reported' });
    const sent = send(pollerWith({ 'orders-0': [1, 2, 3, 4] }), infinite);
    const failures = answered(['orders-0', 1], ['orders-0', 2], ['orders-0', 3], ['orders-0', 4]);

    expect(drain(afterOutcome(sent.state, sent.batch, failures, 0, infinite).state, infinite, 0)).toEqual([
      { 'orders-0': [1, 2, 3, 4] },
    ]);
  });
});

test('the outcome of a batch whose partition was taken away and given back changes nothing', () => {
  const given = rules();
  const sent = send(pollerWith({ 'orders-0': [1, 2] }), given);
  const regained = { ...pollerWith({ 'orders-0': [1, 2] }), batches: sent.state.batches };

  expect(afterOutcome(regained, sent.batch, answered(), 0, given).state).toEqual(regained);
});

test('the outcome of a batch whose partition was taken away leaves that one out', () => {
  const sent = send(pollerWith({ 'orders-0': [1, 2] }), rules());
  const others = { ...pollerWith({ 'orders-1': [7] }), batches: sent.state.batches };

  expect(afterOutcome(others, sent.batch, { type: 'error' }, 0, rules()).state).toEqual(others);
});
