import { ConfigResourceTypes, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import type { ResendReading } from '../../../infra/local/event-source/decide.ts';
import type { EsmMetric } from '../../../infra/local/event-source/esm-metrics.ts';
import {
  type EventSource,
  type EventSourceOptions,
  startEventSource,
} from '../../../infra/local/event-source/event-source.ts';
import type { Mapping } from '../../../infra/local/event-source/mapping.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { type Answer, committed, type FakeFunction, fakeFunction, gate, newMapping, produce } from './a-mapping.ts';

const { bootstrapServers } = inject('localCloud');
const kafka = kafkaJsClient({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
const admin = kafka.admin();
const running: EventSource[] = [];

beforeAll(() => admin.connect());

afterEach(async () => {
  await Promise.all(running.splice(0).map((source) => source.stop()));
});

afterAll(() => admin.disconnect());

async function start(
  mapping: Mapping,
  invoker: FakeFunction,
  options: Partial<EventSourceOptions> = {},
): Promise<EventSource> {
  const source = await startEventSource({
    mappings: [mapping],
    bootstrapServers,
    invoker,
    retryDelayMs: 10,
    ...options,
  });
  running.push(source);
  return source;
}

const until = { timeout: 180_000, interval: 20 };
const offsetsSeen = (fake: FakeFunction) =>
  fake.events.map(({ partitions }) => partitions.map(({ offsets }) => offsets));

describe('partitions and invocations', () => {
  test('hands over every record once and in order, then commits', async () => {
    const mapping = await newMapping(admin, { partitions: 3 });
    for (const partition of [0, 1, 2]) await produce(kafka, mapping.topic, partition, 250);
    const fake = fakeFunction();
    await start(mapping, fake);

    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([250, 250, 250]), until);
    for (const partition of [0, 1, 2]) {
      expect(fake.firstSeen(partition)).toEqual(Array.from({ length: 250 }, (_, index) => index));
    }
    expect(fake.events.flatMap(({ partitions }) => partitions.flatMap(({ offsets }) => offsets))).toHaveLength(750);
  });

  test('a slow partition delays no other, and never has two batches in flight', async () => {
    const mapping = await newMapping(admin, { partitions: 3, batchSize: 10 });
    const slow = gate();
    const fake = fakeFunction(async ({ partitions }) => {
      if (partitions.some(({ partition }) => partition === 0)) await slow.opened;
      return undefined;
    });
    await produce(kafka, mapping.topic, 0, 100);
    await start(mapping, fake);
    await vi.waitFor(() => expect(fake.events).toHaveLength(1), until);
    await produce(kafka, mapping.topic, 1, 300);
    await produce(kafka, mapping.topic, 2, 300);

    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([0, 300, 300]), until);
    expect(fake.firstSeen(0)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    slow.open();
    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([100, 300, 300]), until);
    expect(fake.overlapped).toBe(false);
  });

  test('runs at most five invocations at once', async () => {
    const mapping = await newMapping(admin, { partitions: 8, batchSize: 1 });
    for (let partition = 0; partition < 8; partition += 1) await produce(kafka, mapping.topic, partition, 2);
    const all = gate();
    let now = 0;
    let most = 0;
    const fake = fakeFunction(async () => {
      now += 1;
      most = Math.max(most, now);
      await all.opened;
      now -= 1;
      return undefined;
    });
    const source = await start(mapping, fake);
    await vi.waitFor(() => expect(fake.events).toHaveLength(5), until);
    all.open();

    await vi.waitFor(() => expect(source.stats().invokedRecords).toBe(16), until);
    expect(most).toBe(5);
  });

  test('commits nothing of a batch before the function has answered', async () => {
    const mapping = await newMapping(admin, { batchSize: 5 });
    await produce(kafka, mapping.topic, 0, 12);
    const second = gate();
    const fake = fakeFunction(async (_, index) => {
      if (index === 1) await second.opened;
      return undefined;
    });
    await start(mapping, fake);

    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([5]), until);
    expect(fake.events).toHaveLength(2);
    second.open();
    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([12]), until);
  });

  test('pauses a partition that is not handled instead of fetching all of it', async () => {
    const mapping = await newMapping(admin, { batchSize: 100, metrics: ['EventCount'] });
    await produce(kafka, mapping.topic, 0, 20_000, { ballast: 300 });
    const first = gate();
    const fake = fakeFunction(() => first.opened.then(() => undefined));
    const metrics: EsmMetric[] = [];
    const source = await start(mapping, fake, {
      metrics: { put: (metric) => metrics.push(metric) },
      metricsEveryMs: 50,
    });
    const valuesOf = (wanted: string) => metrics.filter(({ name }) => name === wanted).map(({ value }) => value);
    const polled = () => valuesOf('PolledEventCount').reduce((sum, value) => sum + value, 0);
    await vi.waitFor(() => expect(polled()).toBeGreaterThan(3_000), until);
    const ticks = valuesOf('ProvisionedPollers').length;
    await vi.waitFor(() => expect(valuesOf('ProvisionedPollers').length).toBeGreaterThan(ticks + 10), until);
    expect(polled()).toBeLessThan(15_000);

    first.open();
    await vi.waitFor(() => expect(source.stats().invokedRecords).toBe(20_000), until);
    expect(fake.firstSeen(0)).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
  });
});

describe('transactions', () => {
  test('records of an aborted one are never delivered, and the gaps are harmless', async () => {
    const mapping = await newMapping(admin);
    const producer = kafka.producer({ transactionalId: mapping.topic, maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const write = async (values: readonly string[], end: 'commit' | 'abort') => {
      const transaction = await producer.transaction();
      await transaction.send({ topic: mapping.topic, messages: values.map((value) => ({ partition: 0, value })) });
      await transaction[end]();
    };
    await write(['1', '2'], 'commit');
    await write(['666', '667'], 'abort');
    await write(['3'], 'commit');
    await write(['668'], 'abort');
    await producer.disconnect();
    const fake = fakeFunction();
    await start(mapping, fake);

    // 2 + marker, 2 + marker, 1 + marker, 1 + marker
    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([10]), until);
    expect(fake.firstSeen(0)).toEqual([1, 2, 3]);
    expect(offsetsSeen(fake).flat(2)).toEqual([0, 1, 6]);
  });

  test('an open one holds back what follows it until it is decided', async () => {
    const mapping = await newMapping(admin);
    const producer = kafka.producer({ transactionalId: mapping.topic, maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: mapping.topic, messages: [{ partition: 0, value: '1' }] });
    await produce(kafka, mapping.topic, 0, 1, { from: 2 });
    const fake = fakeFunction();
    const source = await start(mapping, fake);
    await source.addPoller();
    expect(fake.events).toEqual([]);

    await transaction.commit();
    await producer.disconnect();
    await vi.waitFor(() => expect(fake.firstSeen(0)).toEqual([1, 2]), until);
  });
});

describe('what is resent', () => {
  const failing = (partition: string, ...offsets: readonly number[]): Answer => ({
    batchItemFailures: offsets.map((offset) => [partition, offset] as [string, number]),
  });
  const twice = async (reading: ResendReading) => {
    const mapping = await newMapping(admin, { batchSize: 5 });
    await produce(kafka, mapping.topic, 0, 7);
    const name = `${mapping.topic}-0`;
    const fake = fakeFunction((_, index) => (index === 0 ? failing(name, 2, 4) : undefined));
    const source = await start(mapping, fake, { reading, retryDelayMs: reading === 'overtaken' ? 300 : 10 });
    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([7]), until);
    return { offsets: offsetsSeen(fake).flat(), stats: source.stats() };
  };

  test('reading lowest: from the lowest reported on', async () => {
    expect((await twice('lowest')).offsets).toEqual([
      [0, 1, 2, 3, 4],
      [2, 3, 4, 5, 6],
    ]);
  });

  test('reading reported: the reported ones, then newer', async () => {
    expect((await twice('reported')).offsets).toEqual([
      [0, 1, 2, 3, 4],
      [2, 4],
      [5, 6],
    ]);
  });

  test('reading batch: all of it, then newer', async () => {
    expect((await twice('batch')).offsets).toEqual([
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4],
      [5, 6],
    ]);
  });

  test('reading overtaken: newer, then the reported ones', async () => {
    const { offsets, stats } = await twice('overtaken');
    expect(offsets).toEqual([
      [0, 1, 2, 3, 4],
      [5, 6],
      [2, 4],
    ]);
    expect(stats).toMatchObject({ invocations: 3, invokedRecords: 9, resends: 1, resentRecords: 2, failedRecords: 2 });
  });

  test('an error brings back the whole event, and counts as a function error', async () => {
    const mapping = await newMapping(admin, { batchSize: 5 });
    await produce(kafka, mapping.topic, 0, 3);
    const fake = fakeFunction((_, index) => (index < 2 ? 'throw' : undefined));
    const source = await start(mapping, fake);

    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([3]), until);
    expect(offsetsSeen(fake).flat()).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(source.stats().functionErrors).toBe(2);
  });

  test('an event can be delivered twice at once, as a fault', async () => {
    const mapping = await newMapping(admin);
    await produce(kafka, mapping.topic, 0, 3);
    const fake = fakeFunction();
    const source = await start(mapping, fake, { deliverTwice: ({ id }) => id === 0 });

    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([3]), until);
    expect(offsetsSeen(fake).flat()).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(source.stats().deliveredTwice).toBe(1);
  });
});

describe('rebalances', () => {
  test('pollers that join and leave lose nothing and break no order', async () => {
    const mapping = await newMapping(admin, { partitions: 6, batchSize: 20 });
    let served = 0;
    const fake = fakeFunction(async (_, index) => {
      served = index;
      // Rebalances are to find batches in flight.
      await new Promise((resolve) => setTimeout(resolve, 2));
      return undefined;
    });
    const source = await start(mapping, fake);
    const producing = (async () => {
      for (let from = 0; from < 3_000; from += 100) {
        for (let partition = 0; partition < 6; partition += 1) {
          await produce(kafka, mapping.topic, partition, 100, { from });
        }
      }
    })();
    await vi.waitFor(() => expect(served).toBeGreaterThan(10), until);
    await source.addPoller();
    await source.addPoller();
    await source.removePoller(undefined, 'abruptly');
    await source.addPoller();
    await source.removePoller();
    await producing;

    await vi.waitFor(
      async () => expect(await committed(admin, mapping)).toEqual([3_000, 3_000, 3_000, 3_000, 3_000, 3_000]),
      until,
    );
    const all = Array.from({ length: 3_000 }, (_, index) => index);
    for (let partition = 0; partition < 6; partition += 1) expect(fake.firstSeen(partition)).toEqual(all);
    expect(source.stats().rebalances).toBeGreaterThan(5);
  });

  test('a poller sends what it has in flight of a partition that it keeps once, and leaves the rest to the other', async () => {
    const mapping = await newMapping(admin, { partitions: 2, batchSize: 10 });
    for (const partition of [0, 1]) await produce(kafka, mapping.topic, partition, 10);
    const first = gate();
    const fake = fakeFunction(() => first.opened.then(() => undefined));
    const source = await start(mapping, fake);
    await vi.waitFor(() => expect(fake.events).toHaveLength(2), until);
    await source.addPoller();
    await vi.waitFor(() => expect(fake.events).toHaveLength(3), until);
    first.open();

    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([10, 10]), until);
    const deliveries = [0, 1].map(
      (wanted) =>
        fake.events.filter(({ partitions }) => partitions.some(({ partition }) => partition === wanted)).length,
    );
    expect(deliveries.sort()).toEqual([1, 2]);
  });
});

describe('starting position', () => {
  test('LATEST begins behind what is there, and stays there through a rebalance before any commit', async () => {
    const mapping = await newMapping(admin, { startingPosition: { type: 'LATEST' } });
    await produce(kafka, mapping.topic, 0, 5);
    const fake = fakeFunction();
    const source = await start(mapping, fake);
    await produce(kafka, mapping.topic, 0, 1, { from: 5 });
    await source.addPoller();
    await source.removePoller();

    await vi.waitFor(() => expect(fake.firstSeen(0)).toEqual([5]), until);
  });

  test('AT_TIMESTAMP begins at the first record of that time', async () => {
    const mapping = await newMapping(admin);
    const producer = kafka.producer();
    await producer.connect();
    const messages = [1_000, 2_000, 3_000].map((timestamp) => ({
      value: String(timestamp),
      timestamp: String(timestamp),
    }));
    await producer.send({ topic: mapping.topic, messages });
    await producer.disconnect();
    const fake = fakeFunction();
    await start({ ...mapping, startingPosition: { type: 'AT_TIMESTAMP', timestampMs: 1_500 } }, fake);

    await vi.waitFor(() => expect(fake.firstSeen(0)).toEqual([2_000, 3_000]), until);
  });

  test('offsets that the group has committed come first', async () => {
    const mapping = await newMapping(admin);
    await produce(kafka, mapping.topic, 0, 5);
    const fake = fakeFunction();
    const first = await start(mapping, fake);
    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([5]), until);
    await first.stop();
    await produce(kafka, mapping.topic, 0, 2, { from: 5 });
    await start({ ...mapping, startingPosition: { type: 'LATEST' } }, fake);

    await vi.waitFor(() => expect(fake.firstSeen(0)).toEqual([0, 1, 2, 3, 4, 5, 6]), until);
  });
});

describe('filters and switches', () => {
  test('filtered records are not delivered but committed', async () => {
    const mapping = await newMapping(admin, { filters: ['{"value":["1","3"]}'] });
    await produce(kafka, mapping.topic, 0, 6);
    const fake = fakeFunction();
    await start(mapping, fake);

    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([6]), until);
    expect(fake.firstSeen(0)).toEqual([1, 3]);
  });

  test('disabling waits for the batch in flight, commits it and stops; enabling goes on from there', async () => {
    const mapping = await newMapping(admin, { batchSize: 5 });
    await produce(kafka, mapping.topic, 0, 12);
    const first = gate();
    let enabled = true;
    const fake = fakeFunction(() => first.opened.then(() => undefined));
    const told: { readonly isPolling: boolean; readonly committed: readonly number[] }[] = [];
    const source = await start(mapping, fake, {
      isEnabled: async () => enabled,
      pollEnabledMs: 20,
      onPolling: async (_, isPolling) => {
        told.push({ isPolling, committed: isPolling ? [] : await committed(admin, mapping) });
      },
    });
    await vi.waitFor(() => expect(fake.events).toHaveLength(1), until);
    enabled = false;
    await vi.waitFor(() => expect(source.pollers()).toBe(0), until);
    expect(told.map(({ isPolling }) => isPolling)).toEqual([true]);
    first.open();
    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([5]), until);
    await vi.waitFor(async () => {
      const { groups } = await admin.describeGroups([mapping.consumerGroupId]);
      expect(groups[0]?.members).toEqual([]);
    }, until);
    expect(fake.events).toHaveLength(1);
    await vi.waitFor(() => expect(told.slice(1)).toEqual([{ isPolling: false, committed: [5] }]), until);

    enabled = true;
    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([12]), until);
    expect(offsetsSeen(fake).flat()).toEqual([
      [0, 1, 2, 3, 4],
      [5, 6, 7, 8, 9],
      [10, 11],
    ]);
  });
});

describe('giving up', () => {
  test('a Kafka destination gets each record in a document, under its own key', async () => {
    const target = await newMapping(admin);
    const mapping = await newMapping(admin, {
      maximumRetryAttempts: 1,
      onFailure: { type: 'kafka', topic: target.topic },
      metrics: ['EventCount'],
    });
    const producer = kafka.producer();
    await producer.connect();
    const messages = [
      { key: 'a', value: 'poison', timestamp: '1700000000000', headers: { kind: 'ë' } },
      { key: 'b', value: 'fine', timestamp: '1700000000001' },
    ];
    await producer.send({ topic: mapping.topic, messages });
    await producer.disconnect();
    const name = `${mapping.topic}-0`;
    const fake = fakeFunction(({ partitions }) =>
      partitions[0]?.offsets.includes(0) ? { batchItemFailures: [[name, 0]] } : undefined,
    );
    const metrics: EsmMetric[] = [];
    await start(mapping, fake, {
      metrics: { put: (metric) => metrics.push(metric) },
      metricsEveryMs: 20,
      reading: 'reported',
    });

    const [letter] = await readAll(target.topic, 1);
    expect(letter?.key?.toString()).toBe('a');
    expect(JSON.parse(letter?.value?.toString() ?? '')).toEqual({
      requestContext: {
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        functionArn: 'arn:aws:lambda:eu-west-1:000000000000:function:orders',
        condition: 'RetriesExhausted',
        approximateInvokeCount: 2,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST' },
      version: '1.0',
      timestamp: expect.any(String),
      KafkaBatchInfo: {
        batchSize: 1,
        eventSourceArn: mapping.eventSourceArn,
        bootstrapServers,
        payloadSize: expect.any(Number),
        recordInfo: { offset: '0', timestamp: '2023-11-14T22:13:20.000Z' },
      },
      payload: {
        eventSource: 'aws:kafka',
        eventSourceArn: mapping.eventSourceArn,
        bootstrapServers,
        records: {
          [name]: [
            {
              topic: mapping.topic,
              partition: 0,
              offset: 0,
              timestamp: 1_700_000_000_000,
              timestampType: 'CREATE_TIME',
              key: 'YQ==',
              value: 'cG9pc29u',
              headers: [{ kind: [-61, -85] }],
            },
          ],
        },
      },
    });
    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([2]), until);
    const sum = (wanted: string) =>
      metrics.filter(({ name: found }) => found === wanted).reduce((total, { value }) => total + value, 0);
    await vi.waitFor(() => expect(sum('CommittedEventCount')).toBe(2), until);
    expect(sum('PolledEventCount')).toBe(2);
    expect(sum('InvokedEventCount')).toBe(3);
    expect(sum('FailedInvokeEventCount')).toBe(2);
    expect(sum('OnFailureDestinationDeliveredEventCount')).toBe(1);
    expect(sum('DroppedEventCount')).toBe(0);
    expect(metrics[0]?.dimensions).toEqual({ EventSourceMappingUUID: mapping.uuid });
  });

  test('without a destination what is given up on is dropped, and counted', async () => {
    const mapping = await newMapping(admin, {
      maximumRetryAttempts: 0,
      metrics: ['EventCount', 'ErrorCount', 'KafkaMetrics'],
    });
    await produce(kafka, mapping.topic, 0, 3);
    const fake = fakeFunction(() => 'throw');
    const metrics: EsmMetric[] = [];
    await start(mapping, fake, { metrics: { put: (metric) => metrics.push(metric) }, metricsEveryMs: 20 });

    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([3]), until);
    await vi.waitFor(
      () =>
        expect(metrics.map(({ name, value }) => [name, value])).toEqual(
          expect.arrayContaining([
            ['DroppedEventCount', 3],
            ['InvokeErrorCount', 1],
            ['MaxOffsetLag', 0],
            ['SumOffsetLag', 0],
            ['ProvisionedPollers', 1],
          ]),
        ),
      until,
    );
  });

  test('a record that no event can hold is dropped, and the ones around it are delivered', async () => {
    const mapping = await newMapping(admin, { metrics: ['EventCount'] });
    const resources = [
      {
        type: ConfigResourceTypes.TOPIC,
        name: mapping.topic,
        configEntries: [{ name: 'max.message.bytes', value: '9000000' }],
      },
    ];
    await admin.alterConfigs({ validateOnly: false, resources });
    // The broker knows the setting some time later.
    await vi.waitFor(async () => {
      const { resources: known } = await admin.describeConfigs({ includeSynonyms: false, resources });
      expect(known[0]?.configEntries).toContainEqual(expect.objectContaining({ configValue: '9000000' }));
    }, until);
    const producer = kafka.producer();
    await producer.connect();
    // 6 MiB after base64 is 4.5 MiB before.
    for (const value of ['1', Buffer.alloc(4_800_000, 'x'), '3']) {
      await producer.send({ topic: mapping.topic, messages: [{ partition: 0, value }] });
    }
    await producer.disconnect();
    const fake = fakeFunction();
    const metrics: EsmMetric[] = [];
    await start(mapping, fake, { metrics: { put: (metric) => metrics.push(metric) }, metricsEveryMs: 20 });

    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([3]), until);
    expect(fake.firstSeen(0)).toEqual([1, 3]);
    await vi.waitFor(
      () => expect(metrics).toContainEqual(expect.objectContaining({ name: 'DroppedEventCount', value: 1 })),
      until,
    );
  });

  test('a mapping whose topic does not exist is refused, by name', async () => {
    const mapping = { ...(await newMapping(admin)), topic: 'nowhere' };
    await expect(start(mapping, fakeFunction())).rejects.toThrow(
      `Topic nowhere of mapping ${mapping.uuid} does not exist`,
    );
  });
});

async function readAll(topic: string, count: number) {
  const consumer = kafka.consumer({ groupId: `${topic}-reader`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const found: { key: Buffer | null; value: Buffer | null }[] = [];
  await consumer.run({ eachMessage: async ({ message }) => void found.push(message) });
  await vi.waitFor(() => expect(found).toHaveLength(count), until);
  await consumer.disconnect();
  return found;
}
