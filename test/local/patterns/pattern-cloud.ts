import { type AttributeValue, DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { type Kafka, logLevel, type Message } from 'kafkajs';
import { inject, onTestFinished } from 'vitest';
import type { CloudDescription } from '../../../infra/local/cloud-description.ts';
import type { DeployedConsumer } from '../../../infra/local/deployed.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';

/** What tests of consumers ask of the shared local cloud. */
export interface PatternCloud {
  readonly cloud: CloudDescription;
  /** Acknowledged by the broker when it resolves. */
  produce(topic: string, messages: readonly Message[]): Promise<void>;
  /** All items of the table that the stack names so. */
  items(tableOutput: string): Promise<Record<string, AttributeValue>[]>;
  consumer(name: string): DeployedConsumer;
  /** Every record of a topic, as text, from its beginning. */
  records(
    topic: string,
  ): Promise<{ readonly key: string; readonly value: string; readonly headers: Record<string, string> }[]>;
}

/** The shared local cloud for one test; what it opens is closed at the test's end. */
export async function patternCloud(): Promise<PatternCloud> {
  const cloud = inject('localCloud');
  const kafka = kafkaJsClient({ brokers: [cloud.bootstrapServers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const client = new DynamoDBClient(clientConfig(cloud.endpoint));
  onTestFinished(async () => {
    await producer.disconnect();
    client.destroy();
  });
  return {
    cloud,
    async produce(topic, messages) {
      for (let start = 0; start < messages.length; start += 1_000)
        await producer.send({ topic, acks: -1, messages: messages.slice(start, start + 1_000) });
    },
    async items(tableOutput) {
      const TableName = cloud.deployed.outputs[tableOutput];
      const found: Record<string, AttributeValue>[] = [];
      for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true }))
        found.push(...Items);
      return found;
    },
    consumer(name) {
      const found = cloud.deployed.consumers.find((consumer) => consumer.name === name);
      if (found === undefined) throw new Error(`no consumer ${name} is deployed`);
      return found;
    },
    records: (topic) => readAll(kafka, topic),
  };
}

async function readAll(kafka: Kafka, topic: string) {
  const admin = kafka.admin();
  await admin.connect();
  const ends = (await admin.fetchTopicOffsets(topic)).map(({ low, high }) => Number(high) - Number(low));
  await admin.disconnect();
  const expected = ends.reduce((sum, count) => sum + count, 0);
  const found: { key: string; value: string; headers: Record<string, string> }[] = [];
  if (expected === 0) return found;
  const consumer = kafka.consumer({ groupId: `reader-${topic}-${Date.now()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const done = Promise.withResolvers<void>();
  await consumer.run({
    eachMessage: async ({ message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
      found.push({
        key: message.key?.toString() ?? '',
        value: message.value?.toString() ?? '',
        headers: Object.fromEntries(headers),
      });
      if (found.length >= expected) done.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  return found;
}
