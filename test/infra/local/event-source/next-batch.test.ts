import { describe, expect, test } from 'vitest';
import {
  afterDelivery,
  afterOutcome,
  committable,
  emptyPoller,
  emptyQueue,
  fetched,
  nextBatch,
  type QueuedRecord,
  withQueue,
} from '../../../../infra/local/event-source/decide.ts';
import { answered, fetch, offsetsOf, pollerWith, recordsAt, rules, send } from './a-poller.ts';

describe('what goes into a batch', () => {
  test('several partitions share an event up to the batch size', () => {
    const { batch } = send(pollerWith({ 'orders-0': [5, 6], 'orders-1': [1, 2, 3] }), rules({ batchSize: 4 }));

    expect(offsetsOf(batch)).toEqual({ 'orders-0': [5, 6], 'orders-1': [1, 2] });
    expect(batch.recordCount).toBe(4);
  });

  test('a partition with a batch in flight takes no part until its outcome', () => {
    const given = rules({ batchSize: 2 });
    const first = send(pollerWith({ 'orders-0': [0, 1, 2, 3] }), given);

    expect(nextBatch(first.state, 0, given)).toMatchObject({ type: 'wait', untilMs: Number.POSITIVE_INFINITY });

    const { state } = afterOutcome(first.state, first.batch, answered(), 0, given);
    expect(offsetsOf(send(state, given).batch)).toEqual({ 'orders-0': [2, 3] });
  });

  test('another partition goes on while one is in flight', () => {
    const given = rules({ batchSize: 2 });
    const first = send(pollerWith({ 'orders-0': [0, 1, 2], 'orders-1': [0] }), given);

    expect(offsetsOf(send(first.state, given).batch)).toEqual({ 'orders-1': [0] });
  });

  test('the window holds a small batch back from the arrival of its first record', () => {
    const given = rules({ batchSize: 3, batchingWindowMs: 500 });
    const state = fetch(fetch(emptyPoller<QueuedRecord>(), 'orders-0', [0], 1_000), 'orders-0', [1], 1_400);

    expect(nextBatch(state, 1_400, given)).toMatchObject({ type: 'wait', untilMs: 1_500 });
    expect(offsetsOf(send(state, given, 1_500).batch)).toEqual({ 'orders-0': [0, 1] });
  });

  test('a full batch does not wait for its window', () => {
    const given = rules({ batchSize: 3, batchingWindowMs: 500 });

    expect(send(pollerWith({ 'orders-0': [0, 1], 'orders-1': [0] }), given, 1).batch.recordCount).toBe(3);
  });

  test('the next window starts when the batch in flight is done', () => {
    const given = rules({ batchSize: 3, batchingWindowMs: 500 });
    const first = send(pollerWith({ 'orders-0': [0] }), given, 500);
    const waiting = fetch(first.state, 'orders-0', [1], 600);
    const { state } = afterOutcome(waiting, first.batch, answered(), 900, given);

    expect(nextBatch(state, 900, given)).toMatchObject({ type: 'wait', untilMs: 1_400 });
  });

  test('the byte limit closes a batch, envelope and partition names included', () => {
    const given = rules({ envelopeBytes: 50, maxEventBytes: 50 + 14 + 2 * 101 });

    const { state, batch } = send(pollerWith({ 'orders-0': [0, 1, 2] }), given);
    expect(offsetsOf(batch)).toEqual({ 'orders-0': [0, 1] });
    expect(batch.bytes).toBe(266);
    expect(committable(state.queues.get('orders-0') ?? emptyQueue('orders-0'))).toBe(0);
  });

  test('a record that can never fit is discarded and the ones behind it go on', () => {
    const given = rules({ maxEventBytes: 1_000 });
    const huge = recordsAt([7], { bytes: 2_000 });
    const queue = fetched(emptyQueue<QueuedRecord>('orders-0'), [...huge, ...recordsAt([8])], 9, 0);

    const next = nextBatch(withQueue(emptyPoller<QueuedRecord>(), queue), 0, given);
    expect(next).toMatchObject({
      type: 'send',
      discards: [{ partition: 'orders-0', records: huge, condition: 'MaximumPayloadSizeExceeded', invokeCount: 0 }],
      batch: { parts: [{ records: [{ offset: 8 }] }] },
    });
  });

  test('a batch of nothing but hopeless records sends none and waits for new ones', () => {
    const queue = fetched(emptyQueue<QueuedRecord>('orders-0'), recordsAt([7, 8], { bytes: 2_000 }), 9, 0);

    const next = nextBatch(withQueue(emptyPoller<QueuedRecord>(), queue), 0, rules({ maxEventBytes: 1_000 }));
    expect(next).toMatchObject({ type: 'wait', untilMs: Number.POSITIVE_INFINITY });
    expect(next.discards.map(({ records }) => records.map(({ offset }) => offset))).toEqual([[7, 8]]);
  });

  test('a record past the maximum age is discarded before it is sent', () => {
    const given = rules({ maxRecordAgeMs: 60_000 });
    const old = recordsAt([0], { timestamp: 1_000 });
    const young = recordsAt([1], { timestamp: 1_001 });
    const queue = fetched(emptyQueue<QueuedRecord>('orders-0'), [...old, ...young], 2, 61_001);

    const next = nextBatch(withQueue(emptyPoller<QueuedRecord>(), queue), 61_001, given);
    expect(next.discards).toEqual([
      { partition: 'orders-0', records: old, condition: 'RecordAgeExceeded', invokeCount: 0 },
    ]);
    expect(next).toMatchObject({ batch: { recordCount: 1 } });
  });
});

describe('what may be committed', () => {
  const given = rules({ batchSize: 2 });

  test('nothing at or beyond what is in flight or waiting', () => {
    const { state, batch } = send(pollerWith({ 'orders-0': [3, 4, 9] }), given);
    expect(committable(state.queues.get('orders-0') ?? emptyQueue('x'))).toBe(3);

    const after = afterOutcome(state, batch, answered(), 0, given).state;
    expect(committable(after.queues.get('orders-0') ?? emptyQueue('x'))).toBe(9);
  });

  test('with nothing left, the offset the next fetch starts from, beyond any gap', () => {
    const queue = fetched(emptyQueue<QueuedRecord>('orders-0'), [], 12, 0);
    expect(committable(queue)).toBe(12);
    expect(committable(emptyQueue<QueuedRecord>('orders-0'))).toBeUndefined();
  });

  test('discarded records hold the commit until their destination has answered', () => {
    const limited = rules({ maxRetryAttempts: 0 });
    const { state, batch } = send(pollerWith({ 'orders-0': [3, 4] }), limited);
    const after = afterOutcome(state, batch, { type: 'error' }, 0, limited);
    expect(committable(after.state.queues.get('orders-0') ?? emptyQueue('x'))).toBe(3);

    const delivered = afterDelivery(after.state, after.discards);
    expect(committable(delivered.queues.get('orders-0') ?? emptyQueue('x'))).toBe(5);
  });
});

test('records fetched again after a rebalance are ignored below the position', () => {
  const queue = fetched(emptyQueue<QueuedRecord>('orders-0'), recordsAt([0, 1, 2]), 3, 0);
  const again = fetched(queue, recordsAt([1, 2, 3]), 4, 0);

  expect(again.waiting.map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
  expect(again.waitingBytes).toBe(400);
});
