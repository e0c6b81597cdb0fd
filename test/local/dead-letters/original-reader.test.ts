import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SHORT_LIVED_JAVA } from '../../../infra/local/short-lived-java.ts';
import { kafkaJsOriginalReader } from '../../../shared/adapters/kafka/kafkajs-original-reader.ts';
import { kafkaJsTopicLog } from '../../../shared/adapters/kafka/kafkajs-topic-log.ts';
import type { OriginalRangeReader } from '../../../shared/ports/original-reader.ts';
import { noise } from '../../contracts/letters-under-test.ts';
import { type ABroker, aBroker, withAdmin } from './a-broker.ts';

let broker: ABroker;

beforeAll(async () => {
  broker = await aBroker();
});

afterAll(() => broker?.end());

function open(): OriginalRangeReader {
  const reader = kafkaJsOriginalReader(broker.options);
  onTestFinished(() => reader.disconnect());
  return reader;
}

/** Produces as others do: one batch. */
async function produce(topic: string, values: readonly (string | Buffer | null)[]): Promise<void> {
  const producer = broker.client.producer();
  await producer.connect();
  const messages = values.map((value, index) => ({
    key: `key-${index}`,
    value,
    partition: 0,
    timestamp: String(1_700_000_000_000 + index),
  }));
  await producer.send({ topic, messages });
  await producer.disconnect();
}

test('reads a record with its bytes, whichever of its batch it is', async () => {
  const topic = await broker.makeTopic(1);
  await produce(topic, ['a', null, 'c']);
  const reader = open();

  expect(await reader.read({ topic, partition: 0, offset: 1 }, broker.soon())).toEqual({
    type: 'found',
    record: { key: Buffer.from('key-1'), value: null, headers: [], timestamp: 1_700_000_000_001 },
  });
  expect(await reader.read({ topic, partition: 0, offset: 2 }, broker.soon())).toMatchObject({
    record: { value: Buffer.from('c') },
  });
});

test('says absent of what is not written yet, next or far', async () => {
  const topic = await broker.makeTopic(1);
  await produce(topic, ['a']);
  const reader = open();

  expect(await reader.read({ topic, partition: 0, offset: 1 }, broker.soon())).toEqual({ type: 'absent' });
  expect(await reader.read({ topic, partition: 0, offset: 1_000 }, broker.soon())).toEqual({ type: 'absent' });
});

test('says expired of what the log no longer holds, and where it begins', async () => {
  const topic = await broker.makeTopic(1);
  await produce(topic, ['a', 'b', 'c', 'd']);
  await withAdmin(broker.client, async (admin) => {
    await admin.fetchTopicOffsets(topic); // kafkajs deletes only from topics that it knows
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] });
  });
  const reader = open();

  expect(await reader.read({ topic, partition: 0, offset: 2 }, broker.soon())).toEqual({
    type: 'expired',
    logStart: 3,
  });
  expect(await reader.read({ topic, partition: 0, offset: 3 }, broker.soon())).toMatchObject({ type: 'found' });
  expect(await reader.readRange({ topic, partition: 0 }, { from: 0, to: 9 }, broker.soon())).toEqual({
    records: [],
    next: 3,
    logStart: 3,
  });
  expect(await reader.readRange({ topic, partition: 0 }, { from: 0, to: 1 }, broker.soon())).toMatchObject({ next: 2 });
});

test('does not find what an open transaction has written, and finds it once it is committed', async () => {
  const topic = await broker.makeTopic(1);
  const producer = broker.client.producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [{ value: 'held' }] });
  const reader = open();

  expect(await reader.read({ topic, partition: 0, offset: 0 }, broker.soon())).toEqual({ type: 'absent' });
  await transaction.commit();
  await expect
    .poll(() => reader.read({ topic, partition: 0, offset: 0 }, broker.soon()), { timeout: 180_000 })
    .toMatchObject({ type: 'found', record: { value: Buffer.from('held') } });
});

test('reads a range slice by slice, each record once and in order, in bounded pieces', async () => {
  const topic = await broker.makeTopic(1);
  for (let batch = 0; batch < 12; batch++)
    await produce(
      topic,
      Array.from({ length: 9 }, () => noise(100_000)),
    );
  const reader = open();
  const offsets: number[] = [];
  let largest = 0;
  for (let from = 5; from <= 99; ) {
    const slice = await reader.readRange({ topic, partition: 0 }, { from, to: 99 }, broker.soon());
    largest = Math.max(largest, slice.records.length);
    offsets.push(...slice.records.map(({ offset }) => offset));
    from = slice.next;
  }

  expect(offsets).toEqual(Array.from({ length: 95 }, (_, index) => index + 5));
  // 4 MiB, and no batch is larger.
  expect(largest).toBeLessThanOrEqual(42);
});

test('needs one connection for any number of reads, and leaves none behind', async () => {
  const topic = await broker.makeTopic(1);
  await produce(topic, ['a', 'b']);
  const sockets: Socket[] = [];
  const reader = kafkaJsOriginalReader(broker.options, ({ host, port, onConnect }) => {
    const socket = connect({ host, port }, onConnect);
    sockets.push(socket);
    return socket;
  });
  await reader.read({ topic, partition: 0, offset: 0 }, broker.soon());
  await reader.read({ topic, partition: 0, offset: 1 }, broker.soon());
  await reader.disconnect();

  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true]);
});

test('reads a partition that is added while the connection stands, and counts it', async () => {
  const topic = await broker.makeTopic(1);
  await produce(topic, ['a']);
  const reader = open();
  const log = kafkaJsTopicLog(broker.options);
  onTestFinished(() => log.disconnect());
  await reader.read({ topic, partition: 0, offset: 0 }, broker.soon());
  expect(await log.bounds(topic, broker.soon())).toHaveLength(1);
  await withAdmin(broker.client, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] }));

  await expect
    .poll(() => reader.read({ topic, partition: 1, offset: 0 }, broker.soon()), { timeout: 10_000 })
    .toEqual({ type: 'absent' });
  await expect.poll(() => log.bounds(topic, broker.soon()), { timeout: 10_000 }).toHaveLength(2);
});

test('names a partition that is not there', async () => {
  const topic = await broker.makeTopic(1);

  await expect(open().read({ topic, partition: 1, offset: 0 }, broker.soon())).rejects.toMatchObject({
    code: 'ORIGINAL_UNREADABLE',
    message: expect.stringContaining(`${topic}-1@0 was not read back: UNKNOWN_PARTITION`),
  });
});

describe('what Java’s producers compress', () => {
  /** Compressible, in many ways, and longer than a block of LZ4 and than a piece of Snappy. */
  const line = Array.from(
    { length: 12_000 },
    (_, index) => `${(index * 7919) % 10_007}:${'=-'.repeat(index % 40)}`,
  ).join(',');

  test.each(['gzip', 'snappy', 'lz4', 'zstd'])('with %s is read back', async (codec) => {
    if (broker.toolsClassPath === undefined) return expect.fail('needs a broker of our own, with its tools');
    const topic = await broker.makeTopic(1);
    const settings = ['--bootstrap-server', broker.bootstrapServers, '--topic', topic, '--compression-codec', codec];
    const java = spawn(
      'java',
      [
        '-Xmx128m',
        ...SHORT_LIVED_JAVA,
        '-cp',
        broker.toolsClassPath,
        'org.apache.kafka.tools.ConsoleProducer',
        ...settings,
      ],
      { stdio: ['pipe', 'ignore', 'ignore'] },
    );
    java.stdin.end(`${line}\nshort\n`);
    expect(await once(java, 'close')).toEqual([0, null]);

    const records = await broker.readAll(topic, 0);
    expect(records.map(({ record }) => record.value?.toString())).toEqual([line, 'short']);
  });
});

// Stops the broker: stands last.
test('rejects while the broker is down, and reads once it is up', async () => {
  const topic = await broker.makeTopic(1);
  await produce(topic, ['a']);
  const reader = open();
  await reader.read({ topic, partition: 0, offset: 0 }, broker.soon());
  await broker.stopBroker('killed');

  await expect(reader.read({ topic, partition: 0, offset: 0 }, Date.now() + 2_000)).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    message: expect.stringContaining(`${topic}-0@0`),
  });

  await broker.startBroker();
  expect(await reader.read({ topic, partition: 0, offset: 0 }, broker.soon())).toMatchObject({ type: 'found' });
});
