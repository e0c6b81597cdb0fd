import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import type { Admin, Kafka } from 'kafkajs';
import type { DeployedConsumer } from '../deployed.ts';
import { clientConfig, type LocalEndpoint } from '../local-endpoint.ts';
import type { Letter, Observed } from './checks.ts';

/** Metric of the dead-letter alarm. */
const DEAD_LETTERED = 'RecordsDeadLettered';
const POLL_MS = 250;

/**
 * Waits until the consumer group has committed everything on the topic.
 *
 * @param onLag - called with the number of records that are left
 * @returns how many were left at the end
 */
export async function untilConsumed(
  admin: Admin,
  { mapping }: DeployedConsumer,
  withinMs: number,
  onLag: (lag: number) => void,
): Promise<number> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const left = await lag(admin, mapping.consumerGroupId, mapping.topic);
    onLag(left);
    if (left === 0 || Date.now() > deadline) return left;
    await delay(POLL_MS);
  }
}

async function lag(admin: Admin, groupId: string, topic: string): Promise<number> {
  const [ends, [committed]] = await Promise.all([
    admin.fetchTopicOffsets(topic),
    admin.fetchOffsets({ groupId, topics: [topic] }),
  ]);
  const offsets = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  // -1 if the group has committed nothing yet.
  return ends.reduce((sum, { partition, high }) => sum + Number(high) - Math.max(0, offsets.get(partition) ?? 0), 0);
}

/** How often each order in the table was applied. */
export async function applicationsIn(endpoint: LocalEndpoint, TableName: string): Promise<Observed['applications']> {
  const client = new DynamoDBClient(clientConfig(endpoint));
  const found = new Map<string, number>();
  for await (const { Items = [] } of paginateScan({ client }, { TableName })) {
    for (const { orderId, applications } of Items) found.set(orderId?.S ?? '', Number(applications?.N));
  }
  client.destroy();
  return found;
}

/** By partition: the offset that the next record will get. */
export async function endOffsets(admin: Admin, topic: string): Promise<Map<number, number>> {
  const ends = await admin.fetchTopicOffsets(topic);
  return new Map(ends.map(({ partition, high }) => [partition, Number(high)]));
}

/** The letters on a topic from the given offsets to its present end. */
export async function lettersSince(
  kafka: Kafka,
  admin: Admin,
  topic: string,
  since: ReadonlyMap<number, number>,
): Promise<Letter[]> {
  const ends = await endOffsets(admin, topic);
  const expected = [...ends].reduce((sum, [partition, end]) => sum + end - (since.get(partition) ?? 0), 0);
  const letters: Letter[] = [];
  if (expected === 0) return letters;
  const consumer = kafka.consumer({ groupId: `demo-letters-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ partition, message }: { partition: number; message: LetterRecord }) => {
      if (Number(message.offset) < (since.get(partition) ?? 0)) return;
      letters.push(letterOf(partition, message));
      if (letters.length >= expected) resolve();
    };
    consumer.run({ autoCommit: false, eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return letters;
}

interface LetterRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
}

function letterOf(partition: number, { key, value, headers = {} }: LetterRecord): Letter {
  return {
    partition,
    key: key?.toString(),
    value: value?.toString(),
    headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, String(header)])),
  };
}

/** The state of the deployed dead-letter alarm. Waits for a while if it is not ALARM yet. */
export async function deadLetterAlarm(endpoint: LocalEndpoint, withinMs: number): Promise<string | undefined> {
  const client = new CloudWatchClient(clientConfig(endpoint));
  const deadline = Date.now() + withinMs;
  try {
    for (;;) {
      const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({}));
      const state = MetricAlarms.find(({ MetricName }) => MetricName === DEAD_LETTERED)?.StateValue;
      if (state === 'ALARM' || Date.now() > deadline) return state;
      await delay(POLL_MS);
    }
  } finally {
    client.destroy();
  }
}
