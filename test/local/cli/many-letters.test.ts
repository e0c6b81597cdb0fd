import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { expect, inject, test } from 'vitest';
import { deadLetter } from '../../../shared/decide/dead-letter.ts';
import { headAt } from '../../fixtures/progress.ts';

const LETTERS = 100_000;
const CHUNK = 2_000;
/** MiB that the reader may keep: less than the letters come to. */
const HEAP_MIB = 64;

function aLetter(offset: number) {
  const cause = offset % 3;
  const error = {
    name: `CAUSE_${cause}`,
    text: `order ${offset} was refused by the credit service`,
    stage: 'handler',
  } as const;
  const { key, value, headers, timestamp } = deadLetter(
    {
      topic: 'many',
      partition: offset % 3,
      offset,
      key: Buffer.from(`customer-${offset % 500}`),
      value: Buffer.from(
        JSON.stringify({ orderId: `order-${offset}`, amount: offset, currency: 'EUR', note: 'x'.repeat(150) }),
      ),
      headers: [],
      timestamp: Date.now(),
    },
    {
      cluster: 'c',
      group: 'billing',
      head: headAt(offset, { attempts: 5, error, fingerprint: `print-${cause}` }),
      stack: 'at applyOrder (functions/orders/apply-order.ts:12:9)\n'.repeat(8),
      maxAttempts: 5,
      now: Date.now(),
      requestId: 'r',
      names: [],
      maxBytes: 1_000_000,
    },
  );
  const fields = Object.fromEntries(headers.map((header) => [header.name, header.value]));
  return { key, value, headers: fields, timestamp: String(timestamp), partition: offset % 3 };
}

test('100,000 letters are listed and grouped in less memory than they come to', async () => {
  const { bootstrapServers } = inject('localCloud');
  const kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  const topic = `many-dead-letters-${Date.now()}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  let bytes = 0;
  for (let start = 0; start < LETTERS; start += CHUNK) {
    const letters = Array.from({ length: CHUNK }, (_, index) => aLetter(start + index));
    for (const { value, headers } of letters)
      bytes += (value?.length ?? 0) + Object.values(headers).reduce((sum, one) => sum + one.length, 0);
    await producer.sendBatch({
      acks: -1,
      compression: CompressionTypes.GZIP,
      topicMessages: [{ topic, messages: letters }],
    });
  }
  await producer.disconnect();
  expect(bytes).toBeGreaterThan(HEAP_MIB * 1_048_576);

  const { stdout } = await promisify(execFile)(process.execPath, [
    `--max-old-space-size=${HEAP_MIB}`,
    'test/local/cli/fixtures/read-letters.ts',
    bootstrapServers,
    topic,
    'billing',
  ]);

  const { plain, groups, list, peakHeapMiB, peakRssMiB } = JSON.parse(stdout);
  expect(plain.answer).toBe(LETTERS);
  expect(groups.answer.groups.map(({ count }: { count: number }) => count)).toEqual([33_334, 33_333, 33_333]);
  expect(list.answer.total).toBe(LETTERS);
  expect(list.answer.letters).toHaveLength(50);
  console.log(
    `${LETTERS} letters, ${Math.round(bytes / 1_048_576)} MiB: read ${plain.seconds.toFixed(1)} s, grouped ${groups.seconds.toFixed(1)} s, ` +
      `listed ${list.seconds.toFixed(1)} s; heap ${peakHeapMiB} MiB, resident ${peakRssMiB} MiB at most`,
  );
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}, 400_000);
