import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConsumersUnderTest, startConsumers } from './consumers-under-test.ts';
import { topicOf } from './fixtures/consumer-intent.ts';
import { doneOnce, startedTooEarly } from './in-order.ts';
import { produce, type Scripted } from './produce.ts';

let consumers: ConsumersUnderTest;
const topic = topicOf({ name: 'Aborted' });

beforeAll(async () => {
  consumers = await startConsumers('abortedTransaction');
});

afterAll(() => consumers?.stop());

const five = (prefix: string, does: Scripted['does'] = 'succeed'): Scripted[] =>
  Array.from({ length: 5 }, (_, index) => ({ id: `${prefix}-${index}`, does: index === 2 ? does : 'succeed' }));

/** Produces in a transaction. */
async function transactional(end: 'commit' | 'abort', scripts: readonly Scripted[]): Promise<void> {
  const producer = consumers.kafka.producer({ transactionalId: `tx-${end}`, maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const transaction = await producer.transaction();
  const messages = scripts.map(({ id, does }) => ({ partition: 0, key: id, value: JSON.stringify({ id, does }) }));
  await transaction.send({ topic, acks: -1, messages });
  await transaction[end]();
  await producer.disconnect();
}

/** The broker writes a transaction's marker a moment after it has said that the transaction is over. */
async function untilItEndsAt(offset: number): Promise<void> {
  const admin = consumers.kafka.admin();
  await admin.connect();
  await expect
    .poll(async () => admin.fetchTopicOffsets(topic), { timeout: 30_000 })
    .toMatchObject([{ high: `${offset}` }]);
  await admin.disconnect();
}

test('a record of an aborted transaction is never handled, and the gap that it leaves does no harm', async () => {
  await produce(consumers.kafka, topic, 0, five('before'));
  await transactional('abort', five('aborted'));
  await untilItEndsAt(11);
  await transactional('commit', five('committed'));
  await untilItEndsAt(17);
  await produce(consumers.kafka, topic, 0, five('after', 'refuse'));

  await expect.poll(() => consumers.lag('Aborted'), { timeout: 180_000, interval: 500 }).toBe(0);
  const { calls } = consumers.counterpart;
  const produced = ['before', 'committed', 'after'].flatMap((prefix) => five(prefix).map(({ id }) => id));
  expect(calls.filter(({ id }) => id.startsWith('aborted'))).toEqual([]);
  expect(doneOnce(calls, produced)).toEqual(produced.filter((id) => id !== 'after-2'));
  expect(startedTooEarly(calls, produced, ['after-2'])).toEqual([]);
  // 0 to 4, aborted 5 to 9, its marker 10, committed 11 to 15, its marker 16, then 17.
  expect(await consumers.letters('Aborted')).toMatchObject([
    { key: Buffer.from('after-2'), header: { 'x-original-offset': '19' } },
  ]);
  await consumers.catchUp();
  expect(consumers.printed.filter((line) => line.includes('overtook'))).toEqual([]);
});
