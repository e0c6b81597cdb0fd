import { expect, test } from 'vitest';
import { parseLetter } from '../../../shared/decide/letter.ts';
import { textHeader } from '../../../shared/decide/letter-headers.ts';
import { redrivenRecord } from '../../../shared/decide/redrive.ts';
import { returningHeaders } from '../../../shared/decide/returned-record.ts';
import { byPosition, lockstepConsumer, NonRetryableError, text } from '../../../shared/lockstep-consumer.ts';
import type { RecordHeader } from '../../../shared/record/record-headers.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { FAKE_SECRET } from '../../../shared/testing/fake-stack-secret.ts';
import { record } from '../../../shared/testing/record.ts';

/** Headers as an event has them. */
function inEvent(headers: readonly RecordHeader[]) {
  return headers.map(({ name, value }) => ({ [name]: [...new Int8Array(value)] }));
}

/** A record at `offset` with these headers as they are. */
function withHeaders(offset: number, value: string, headers: readonly RecordHeader[]) {
  return {
    ...record({ topic: 'orders', partition: 0, offset, key: 'k', value: Buffer.from(value) }),
    headers: inEvent(headers),
  };
}

/** The record at offset 7, written back to `place` for a group. */
function returned(group: string, { offset = 20, value = 'order 1', secret = FAKE_SECRET, partition = 0 } = {}) {
  const origin = { topic: 'orders', partition: 0, offset: 7, timestamp: 1_000 };
  const headers = returningHeaders(secret, {
    to: { topic: 'orders', partition },
    key: Buffer.from('k'),
    value: Buffer.from('order 1'),
    headers: [textHeader('traceparent', '00-1')],
    origin,
    group,
    redriveCount: 2,
    from: textHeader('x-dead-letter-id', 'c/deliver/orders-0@7/1000'),
  });
  return withHeaders(offset, value, headers);
}

const ids = ({ produced }: Awaited<ReturnType<typeof deliver>>) => [
  ...new Set(produced.map(({ headers }) => headers.find(({ name }) => name === 'x-lockstep-id')?.value.toString())),
];

const passesOn = lockstepConsumer({
  value: text,
  idempotencyKey: byPosition,
  onRecord: (_, { produce }) => produce('shipments', { key: 'k', value: 'ship it' }),
});

test('what a redriven record passes on has the id that it had the first time', async () => {
  let tries = 0;
  const handler = lockstepConsumer({
    value: text,
    idempotencyKey: byPosition,
    onRecord: (_, { produce, transact }) => {
      produce('shipments', { key: 'k', value: 'ship it' });
      if (tries++ === 0) transact({ Put: { TableName: 't', Item: { id: { S: '1' } } } });
    },
    retry: { maxAttempts: 1, inlineRetries: 0 },
  });
  const first = await deliver(
    handler,
    [record({ topic: 'orders', partition: 0, offset: 7, key: 'k', value: Buffer.from('order 1') })],
    {
      refuseEffect: () => ({ index: 0, code: 'ConditionalCheckFailed', text: 'x' }),
    },
  );
  const [letter] = first.deadLetters;
  const read = letter && parseLetter({ ...letter, partition: 0, offset: 0 });
  if (read === undefined) throw new Error('no letter');
  const target = { topic: 'orders', partitions: new Set([0]), group: 'deliver' };
  const back = redrivenRecord(read, target, FAKE_SECRET);

  const second = await deliver(handler, [
    { ...withHeaders(20, String(back.value), back.headers), timestamp: back.timestamp },
  ]);

  expect(Object.values(second.outcomes)).toEqual(['handled']);
  expect(ids(second)).toEqual(ids(first));
  expect(ids(first)).toHaveLength(1);
});

test.each([
  ['record by record', { onRecord: () => Promise.reject(new Error('ran')) }],
  ['in batches', { onBatch: () => Promise.reject(new Error('ran')) }],
])('a record that was written back for another group is settled unread, %s, and counted', async (_, way) => {
  for (const idempotencyKey of [byPosition, () => 'never asked for']) {
    const handler = lockstepConsumer({
      value: {
        decode: () => {
          throw new Error('read');
        },
      },
      idempotencyKey,
      ...way,
    } as never);
    const { outcomes, deadLetters, metrics } = await deliver(handler, [returned('another')]);
    expect(Object.values(outcomes)).toEqual(['duplicate']);
    expect(deadLetters).toEqual([]);
    expect(metrics['RecordsForOtherGroups']).toBe(1);
  }
});

test('neighbours of such a record are handled', async () => {
  const plain = (offset: number) => record({ topic: 'orders', partition: 0, offset, key: 'k', value: 'v' });
  const { outcomes } = await deliver(passesOn, [plain(19), returned('another'), plain(21)]);
  expect(outcomes).toEqual({ 'orders-0@19': 'handled', 'orders-0@20': 'duplicate', 'orders-0@21': 'handled' });
});

test('one that was written back for this group is handled, under its first name', async () => {
  const delivery = await deliver(passesOn, [returned('deliver')]);
  expect(delivery.outcomes).toEqual({ 'orders-0@20': 'handled' });
  expect(ids(delivery)).toEqual([expect.stringMatching(/\/deliver\/orders-0@7\/1000\/0$/)]);
});

test.each([
  ['that another secret signed', () => returned('another', { secret: Buffer.alloc(32) })],
  ['that was signed for another partition', () => returned('another', { partition: 1 })],
  ['whose value is another', () => returned('another', { value: 'order 1, paid' })],
  [
    'without a signature',
    () => {
      const { headers, ...rest } = returned('another');
      return { ...rest, headers: headers.slice(0, -1) };
    },
  ],
  [
    'with a header more',
    () => {
      const { headers, ...rest } = returned('another');
      return { ...rest, headers: [{ a: [1] }, ...headers] };
    },
  ],
])('headers %s are data: the record is handled under its own name', async (_, forged) => {
  const delivery = await deliver(passesOn, [forged()]);
  expect(delivery.outcomes).toEqual({ 'orders-0@20': 'handled' });
  expect(ids(delivery)).toEqual([expect.stringMatching(/\/deliver\/orders-0@20\/\d+\/0$/)]);
});

const poison = lockstepConsumer({
  value: text,
  idempotencyKey: byPosition,
  onRecord: () => {
    throw new NonRetryableError('no');
  },
});

test.each([
  [{ 'x-redrive-count': '-1000000' }],
  [{ 'x-redrive-count': 'Infinity' }],
  [{ 'x-redrive-count': '99' }],
  [{ 'x-doubtful': 'true' }],
  [{ 'x-lockstep-marker': 'purged' }],
  [
    {
      'x-dead-letter-id': 'i',
      'x-original-topic': 'payroll',
      'x-original-partition': '9',
      'x-original-offset': '1',
      'x-original-timestamp': '1',
    },
  ],
  [{ 'x-lockstep-for': 'another', 'x-lockstep-signature': 'a'.repeat(43) }],
  [{ 'x-consumer-group': 'another', 'x-error-name': 'RECORD_EXPIRED' }],
])('headers of a producer do not steer the letter: %j', async (headers) => {
  const { deadLetters } = await deliver(poison, [
    record({ topic: 'orders', partition: 0, offset: 7, value: 'v', headers }),
  ]);
  const [letter] = deadLetters;
  const read = letter && parseLetter({ ...letter, partition: 0, offset: 0 });
  expect(read).toMatchObject({
    origin: { topic: 'orders', partition: 0, offset: 7 },
    group: 'deliver',
    redriveCount: 0,
    isDoubtful: false,
    isExpired: false,
  });
  for (const [name, value] of Object.entries(headers))
    expect(letter?.headers).toContainEqual({ name: `x-foreign-${name}`, value: Buffer.from(value) });
});

test('a redriven record that is dead-lettered again says how often, whatever others wrote into it', async () => {
  const { deadLetters } = await deliver(poison, [returned('deliver')]);
  const read = deadLetters[0] && parseLetter({ ...deadLetters[0], partition: 0, offset: 0 });
  expect(read).toMatchObject({ redriveCount: 2, origin: { offset: 7, timestamp: 1_000 } });
});
