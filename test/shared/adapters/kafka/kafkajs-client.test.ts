import { Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { kafkaJsClient, kafkaJsCluster } from '../../../../shared/adapters/kafka/kafkajs-client.ts';

const CONFIG = { brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The queue of a connection, as it is after an answer. */
async function aQueue(kafka: Kafka) {
  const cluster = kafkaJsCluster(kafka, { allowAutoTopicCreation: false });
  const { pool } = await cluster.connectionPoolBuilder.build({ host: '127.0.0.1', port: 1 });
  const queue = pool[0]?.requestQueue;
  return queue ?? expect.fail('a pool has connections');
}

test('a connection on which nothing waits sets no timer', async () => {
  const queue = await aQueue(kafkaJsClient(CONFIG));
  queue.scheduleCheckPendingRequests();

  expect(vi.getTimerCount()).toBe(0);
});

test('a connection on which a request waits looks after it', async () => {
  const queue = await aQueue(kafkaJsClient(CONFIG));
  Object.assign(queue, { pending: ['a request'] });
  queue.scheduleCheckPendingRequests();

  expect(vi.getTimerCount()).toBe(1);
});

test('an admin client looks at its topics again, since partitions may have been added', () => {
  const cluster = kafkaJsCluster(kafkaJsClient(CONFIG), { allowAutoTopicCreation: false });

  expect(cluster).toMatchObject({ brokerPool: { metadataMaxAge: 5_000 } });
});

test('kafkajs itself, which a handler may use too, stays as it is', async () => {
  kafkaJsClient(CONFIG);
  const queue = await aQueue(new Kafka(CONFIG));
  queue.scheduleCheckPendingRequests();

  expect(vi.getTimerCount()).toBe(1);
});

test('another kafkajs than the pinned one is refused by name', () => {
  const kafka = new Kafka(CONFIG);
  for (const symbol of Object.getOwnPropertySymbols(kafka)) Reflect.deleteProperty(kafka, symbol);

  expect(() => kafkaJsCluster(kafka, { allowAutoTopicCreation: false })).toThrow('expected kafkajs 2.2.4');
});
