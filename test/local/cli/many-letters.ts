import { CompressionTypes, type Kafka } from 'kafkajs';
import { deadLetter } from '../../../shared/decide/dead-letter.ts';
import { blockedRecordAt } from '../../fixtures/progress.ts';

const CHUNK = 2_000;
export const PARTITIONS = 3;

/** Of three causes in turn, in every partition all of them. */
function aLetter(topic: string, offset: number, secret: Buffer) {
  const cause = Math.floor(offset / PARTITIONS) % 3;
  const text = `order ${offset} was refused by the credit service`;
  const error = { name: `CAUSE_${cause}`, text, stage: 'handler' } as const;
  const partition = offset % PARTITIONS;
  const order = { orderId: `order-${offset}`, amount: offset, currency: 'EUR', note: 'x'.repeat(150) };
  const { key, value, headers, timestamp } = deadLetter(
    {
      topic,
      partition,
      offset,
      key: Buffer.from(`customer-${offset % 500}`),
      value: Buffer.from(JSON.stringify(order)),
      headers: [],
      timestamp: Date.now(),
    },
    {
      cluster: 'c',
      group: 'billing',
      blocked: blockedRecordAt(offset, { attempts: 5, error, fingerprint: `print-${cause}` }),
      stack: 'at applyOrder (functions/orders/apply-order.ts:12:9)\n'.repeat(8),
      maxAttempts: 5,
      now: Date.now(),
      requestId: 'r',
      names: [],
      maxBytes: 1_000_000,
      secret,
    },
  );
  const fields = Object.fromEntries(headers.map((header) => [header.name, header.value]));
  return { key, value, headers: fields, timestamp: String(timestamp), partition };
}

/** Writes letters of records of `source`. @returns how many bytes of values and headers they come to */
export async function produceLetters(
  kafka: Kafka,
  source: string,
  topic: string,
  count: number,
  secret: Buffer,
): Promise<number> {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  let bytes = 0;
  for (let start = 0; start < count; start += CHUNK) {
    const messages = Array.from({ length: CHUNK }, (_, index) => aLetter(source, start + index, secret));
    for (const { value, headers } of messages)
      bytes += (value?.length ?? 0) + Object.values(headers).reduce((sum, one) => sum + one.length, 0);
    await producer.sendBatch({ acks: -1, compression: CompressionTypes.GZIP, topicMessages: [{ topic, messages }] });
  }
  await producer.disconnect();
  return bytes;
}

/** Reads a topic through with a plain consumer, and says how long that took from its first fetch on. */
export async function readPlainly(kafka: Kafka, topic: string, count: number): Promise<void> {
  const consumer = kafka.consumer({ groupId: `${topic}-plain`, allowAutoTopicCreation: false });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const { promise, resolve } = Promise.withResolvers<number>();
  let startedAt = 0;
  let read = 0;
  consumer.on(consumer.events.FETCH_START, () => {
    startedAt ||= performance.now();
  });
  await consumer.run({
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      read += batch.messages.length;
      if (read >= count) resolve((performance.now() - startedAt) / 1_000);
    },
  });
  const seconds = await promise;
  await consumer.disconnect();
  console.log(`${seconds.toFixed(1)} s from its first fetch on`);
}
