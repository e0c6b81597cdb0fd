import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { startEventSource } from '../../../infra/local/event-source/event-source.ts';
import type { Invoker } from '../../../infra/local/event-source/invoker.ts';
import type { Mapping } from '../../../infra/local/event-source/mapping.ts';
import { type LocalKafka, startKafka } from '../../../infra/local/kafka.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { kafkaJsHeaders } from '../../../shared/adapters/kafka/kafkajs-headers.ts';
import { committed, fakeFunction, newMapping, produce } from './a-mapping.ts';

const until = { timeout: 180_000, interval: 20 };
/** Not the run's broker: the last test stops it. */
let broker: LocalKafka;

beforeAll(async () => {
  broker = await startKafka({ bootstrapServers: '' });
}, 300_000);

afterAll(() => broker?.stop());

async function connect() {
  const kafka = kafkaJsClient({
    brokers: [broker.bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20 },
  });
  const admin = kafka.admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  return { kafka, admin };
}

async function poll(mapping: Mapping, invoker: Invoker, log: (line: string) => void = () => {}) {
  const { bootstrapServers } = broker;
  const source = await startEventSource({ mappings: [mapping], bootstrapServers, invoker, log });
  onTestFinished(() => source.stop());
  return source;
}

test.each(['gzip', 'snappy', 'lz4', 'zstd'])('records that Java compressed with %s are handed over', async (codec) => {
  const { admin } = await connect();
  const mapping = await newMapping(admin, { batchSize: 1_000 });
  const settings = ['--bootstrap-server', broker.bootstrapServers, '--topic', mapping.topic];
  const java = spawn(
    'java',
    [
      ...['-Xmx128m', '-cp', broker.toolsClassPath ?? '', 'org.apache.kafka.tools.ConsoleProducer'],
      ...[...settings, '--compression-codec', codec],
    ],
    { stdio: ['pipe', 'ignore', 'ignore'] },
  );
  java.stdin.end(Array.from({ length: 500 }, (_, index) => `${index}\n`).join(''));
  expect(await once(java, 'close')).toEqual([0, null]);
  const fake = fakeFunction();
  await poll(mapping, fake);

  await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([500]), until);
  expect(fake.firstSeen(0)).toEqual(Array.from({ length: 500 }, (_, index) => index));
});

test('headers come as they were sent: in order, repeated, with names that objects have', async () => {
  const { kafka, admin } = await connect();
  const mapping = await newMapping(admin);
  const producer = kafka.producer();
  await producer.connect();
  const sent: [string, string][] = [
    ...([
      ['b', '1'],
      ['7', 'x'],
      ['constructor', 'c'],
      ['a', ''],
      ['b', '2'],
      ['__proto__', 'p'],
    ] as [string, string][]),
    ...([
      ['hasOwnProperty', 'h'],
      ['toString', 't'],
      ['constructor', 'd'],
    ] as [string, string][]),
  ];
  const headers = kafkaJsHeaders(sent.map(([name, value]) => ({ name, value: Buffer.from(value) })));
  await producer.send({ topic: mapping.topic, messages: [{ value: '1', headers }] });
  await producer.disconnect();
  const payloads: string[] = [];
  await poll(mapping, {
    invoke: async (_, payload) => {
      payloads.push(payload);
      return { type: 'answered', payload: 'null' };
    },
  });

  await vi.waitFor(() => expect(payloads).toHaveLength(1), until);
  expect(/"headers":(\[.*\])\}\]/.exec(payloads[0] ?? '')?.[1]).toBe(
    '[{"b":[49]},{"7":[120]},{"constructor":[99]},{"a":[]},{"b":[50]},{"__proto__":[112]},' +
      '{"hasOwnProperty":[104]},{"toString":[116]},{"constructor":[100]}]',
  );
});

test('partitions that are added are read within seconds, and lose nothing', async () => {
  const { kafka, admin } = await connect();
  const mapping = await newMapping(admin, { partitions: 1, startingPosition: { type: 'LATEST' } });
  const fake = fakeFunction();
  await poll(mapping, fake);
  await produce(kafka, mapping.topic, 0, 5);
  await vi.waitFor(() => expect(fake.firstSeen(0)).toHaveLength(5), until);
  await admin.createPartitions({ topicPartitions: [{ topic: mapping.topic, count: 3 }] });
  // The brokers know of them some time later, and a producer that does not know a partition sends nothing to it.
  await vi.waitFor(async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [mapping.topic] });
    expect(topics[0]?.partitions).toHaveLength(3);
  }, until);
  const after = kafkaJsClient({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING });
  for (const partition of [0, 1, 2]) await produce(after, mapping.topic, partition, 5, { from: 5 });

  await vi.waitFor(() => expect(fake.firstSeen(2)).toHaveLength(5), until);
  await vi.waitFor(() => expect(fake.firstSeen(1)).toHaveLength(5), until);
  await vi.waitFor(() => expect(fake.firstSeen(0)).toHaveLength(10), until);
});

// Stops the broker: stands last.
test('a poller that is taken away while it joins again does not keep partitions', async () => {
  const { kafka, admin } = await connect();
  const mapping = await newMapping(admin, { partitions: 6, batchSize: 10, minimumPollers: 2 });
  const fake = fakeFunction();
  const lines: string[] = [];
  const source = await poll(mapping, fake, (line) => lines.push(line));
  for (let partition = 0; partition < 6; partition++) await produce(kafka, mapping.topic, partition, 10);
  await vi.waitFor(() => expect(fake.distinct()).toBe(60), until);
  await broker.stopBroker('gracefully');
  const crashes = () => lines.filter((line) => line.includes('crashed')).length;
  await vi.waitFor(() => expect(crashes()).toBeGreaterThanOrEqual(2), until);
  // Each joins again 300 ms later, and then tries to connect for some seconds.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const removed = source.removePoller(mapping.uuid, 'abruptly');
  await broker.startBroker();
  await removed;
  for (let partition = 0; partition < 6; partition++) await produce(kafka, mapping.topic, partition, 10, { from: 10 });

  await vi.waitFor(() => expect(fake.distinct()).toBe(120), until);
  const { groups } = await admin.describeGroups([mapping.consumerGroupId]);
  expect(groups[0]?.members).toHaveLength(1);
  expect(source.pollers()).toBe(1);
});
