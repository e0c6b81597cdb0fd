import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConsumersUnderTest, startConsumers } from './consumers-under-test.ts';
import { topicOf } from './fixtures/consumer-intent.ts';

let consumers: ConsumersUnderTest;

/** Of the topic: Kafka's default, set by name. */
const LIMIT_BYTES = 1_048_588;
/** Of a batch with one record without key and headers, whose value takes three bytes for its length. */
const AROUND_THE_VALUE = 61 + 3 + 8;

beforeAll(async () => {
  consumers = await startConsumers('largeRecord');
});

afterAll(() => consumers?.stop());

/** Noise, which no compression makes smaller; `bytes` in all. */
function scriptOf(bytes: number): Buffer {
  const around = Buffer.byteLength(JSON.stringify({ id: 'large', does: 'refuse', noise: '' }));
  const noise = randomBytes(bytes)
    .toString('base64')
    .slice(0, bytes - around);
  return Buffer.from(JSON.stringify({ id: 'large', does: 'refuse', noise }));
}

test('a record one byte under the topic’s limit that fails has its letter, whole', async () => {
  const value = scriptOf(LIMIT_BYTES - AROUND_THE_VALUE - 1);
  const beyond = scriptOf(LIMIT_BYTES - AROUND_THE_VALUE + 1);
  const producer = consumers.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const send = (bytes: Buffer) =>
    producer.send({ topic: topicOf({ name: 'Large' }), acks: -1, messages: [{ key: null, value: bytes }] });

  await expect(send(beyond)).rejects.toThrow(/larger than|too large/i);
  await send(value);
  await producer.disconnect();

  await expect.poll(() => consumers.lag('Large'), { timeout: 180_000, interval: 500 }).toBe(0);
  const letters = await consumers.letters('Large');
  expect(letters.map(({ header }) => header)).toMatchObject([
    { 'x-error-name': 'SCRIPT_REFUSED', 'x-stage': 'handler', 'x-original-offset': '0' },
  ]);
  expect(letters[0]?.value?.equals(value)).toBe(true);
});
