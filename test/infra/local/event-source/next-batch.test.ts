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

  test('what closes an event for one partition closes it for all', () => {
    const given = rules({ maxEventBytes: 1_000, batchSize: 10 });
    let state = pollerWith({ 'orders-0': [0] });
    state = withQueue(state, fetched(emptyQueue<QueuedRecord>('orders-1'), recordsAt([0], { bytes: 900 }), 1, 0));
    state = fetch(state, 'orders-2', [0]);

    expect(offsetsOf(send(state, given).batch)).toEqual({ 'orders-0': [0] });
  });

  test('enough bytes for an event close the window too', () => {
    const given = rules({ batchingWindowMs: 500, maxEventBytes: 1_000 });
    const large = fetched(emptyQueue<QueuedRecord>('orders-0'), recordsAt([0, 1, 2, 3], { bytes: 300 }), 4, 0);
    const first = send(withQueue(emptyPoller<QueuedRecord>(), large), given);
    expect(offsetsOf(first.batch)).toEqual({ 'orders-0': [0, 1, 2] });

    const { state } = afterOutcome(first.state, first.batch, answered(), 0, given);
    expect(nextBatch(state, 0, given)).toMatchObject({ type: 'wait', untilMs: 500 });
    const enough = fetched(state.queues.get('orders-0') ?? large, recordsAt([4, 5], { bytes: 350 }), 6, 10);
    expect(nextBatch(withQueue(state, enough), 10, given).type).toBe('send');
  });

  test('a record that just fits is sent', () => {
    const exact = rules({ maxEventBytes: 14 + 101 });

    expect(send(pollerWith({ 'orders-0': [0] }), exact).batch.bytes).toBe(115);
  });

  test.each([
    [216, [0, 1]],
    [215, [0]],
  ])('an event of %d bytes holds what fits to the byte', (maxEventBytes, offsets) => {
    const { batch } = send(pollerWith({ 'orders-0': [0, 1] }), rules({ maxEventBytes }));

    expect(offsetsOf(batch)).toEqual({ 'orders-0': offsets });
  });

  test('a record that misses it by a byte is discarded', () => {
    const tight = rules({ maxEventBytes: 14 + 100 });

    expect(nextBatch(pollerWith({ 'orders-0': [0] }), 0, tight)).toMatchObject({
      type: 'wait',
      discards: [{ condition: 'MaximumPayloadSizeExceeded' }],
    });
  });

  test('a partition whose records are all given up on takes no room', () => {
    const old = fetched(emptyQueue<QueuedRecord>('orders-0'), recordsAt([0], { timestamp: -60_001 }), 1, 0);
    const { batch } = send(withQueue(pollerWith({ 'orders-1': [0] }), old), rules({ maxRecordAgeMs: 60_000 }));

    expect(offsetsOf(batch)).toEqual({ 'orders-1': [0] });
    expect(batch.bytes).toBe(115);
  });

  test('records that were given up are distinguished by how often they were sent', () => {
    const given = rules({ reading: 'lowest', maxRecordAgeMs: 60_000 });
    const first = send(pollerWith({ 'orders-0': [1] }), given);
    const resumed = afterOutcome(first.state, first.batch, answered(['orders-0', 1]), 0, given).state;
    const second = send(fetch(resumed, 'orders-0', [2]), given);
    const { state } = afterOutcome(second.state, second.batch, { type: 'error' }, 0, given);

    expect(nextBatch(state, 100_000, given).discards).toMatchObject([
      { records: [{ offset: 1 }], condition: 'RecordAgeExceeded', invokeCount: 2 },
      { records: [{ offset: 2 }], condition: 'RecordAgeExceeded', invokeCount: 1 },
    ]);
  });

  test('batches are numbered', () => {
    const given = rules({ batchSize: 1 });
    const first = send(pollerWith({ 'orders-0': [0], 'orders-1': [0] }), given);

    expect([first.batch.id, send(first.state, given).batch.id]).toEqual([0, 1]);
  });

  test('each partition gives up its own records, by condition', () => {
    const given = rules({ maxEventBytes: 1_000, maxRecordAgeMs: 60_000 });
    let state = emptyPoller<QueuedRecord>();
    for (const name of ['orders-0', 'orders-1']) {
      const records = [...recordsAt([1], { bytes: 2_000, timestamp: 90_000 }), ...recordsAt([2])];
      state = withQueue(state, fetched(emptyQueue<QueuedRecord>(name), records, 3, 0));
    }
    const next = nextBatch(state, 100_000, given);

    const gone = next.discards.map(({ partition, condition, records }) => [partition, condition, records.length]);
    expect(gone).toEqual([
      ['orders-0', 'MaximumPayloadSizeExceeded', 1],
      ['orders-0', 'RecordAgeExceeded', 1],
      ['orders-1', 'MaximumPayloadSizeExceeded', 1],
      ['orders-1', 'RecordAgeExceeded', 1],
    ]);
    expect(next.state.queues.get('orders-1')?.leaving.map(({ partition }) => partition)).toEqual([
      'orders-1',
      'orders-1',
    ]);
    const [first] = next.discards;
    const delivered = afterDelivery(next.state, first ? [first] : []);
    expect(committable(delivered.queues.get('orders-0') ?? emptyQueue('x'))).toBe(2);
    expect(committable(delivered.queues.get('orders-1') ?? emptyQueue('x'))).toBe(1);
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

  test('hopeless records of two partitions are given up apart, though for one reason', () => {
    const state = ['orders-0', 'orders-1'].reduce(
      (poller, name) => withQueue(poller, fetched(emptyQueue(name), recordsAt([7], { bytes: 2_000 }), 8, 0)),
      emptyPoller<QueuedRecord>(),
    );

    const { discards } = nextBatch(state, 0, rules({ maxEventBytes: 1_000 }));
    expect(discards.map(({ partition, records }) => [partition, records.length])).toEqual([
      ['orders-0', 1],
      ['orders-1', 1],
    ]);
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

  test('records too old to send hold the commit until their destination has answered', () => {
    const limited = rules({ maxRecordAgeMs: 60_000 });
    const next = nextBatch(pollerWith({ 'orders-0': [3, 4] }), 100_000, limited);
    expect(committable(next.state.queues.get('orders-0') ?? emptyQueue('x'))).toBe(3);

    const delivered = afterDelivery(next.state, next.discards);
    expect(committable(delivered.queues.get('orders-0') ?? emptyQueue('x'))).toBe(5);
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
