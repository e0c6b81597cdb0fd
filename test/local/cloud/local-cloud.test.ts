import { randomUUID } from 'node:crypto';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type LocalCloud, startLocalCloud } from '../../../infra/local/local-cloud.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';

let cloud: LocalCloud;
let producer: Producer;
let dynamo: DynamoDBClient;
let cloudwatch: CloudWatchClient;
const printed: string[] = [];

beforeAll(async () => {
  cloud = await startLocalCloud({
    app: 'npx node test/local/cloud/fixtures/cloud-app.ts',
    onLog: (name, line) => printed.push(`${name}: ${line}`),
  });
  const kafka = kafkaJsClient({ brokers: [cloud.description.bootstrapServers], logLevel: logLevel.NOTHING });
  producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  dynamo = new DynamoDBClient(clientConfig(cloud.description.endpoint));
  cloudwatch = new CloudWatchClient(clientConfig(cloud.description.endpoint));
}, 300_000);

afterAll(async () => {
  await producer?.disconnect();
  await cloud?.stop();
}, 30_000);

async function seen(id: string) {
  const TableName = consumer().function.environment['SEEN_TABLE'];
  const { Item } = await dynamo.send(new GetItemCommand({ TableName, Key: { id: { S: id } } }));
  return Item;
}

function consumer() {
  const [only] = cloud.description.deployed.consumers;
  if (only === undefined) throw new Error('no consumer is deployed');
  return only;
}

async function alarmState(words: string): Promise<string | undefined> {
  const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({}));
  return MetricAlarms.find(({ AlarmName }) => AlarmName?.includes(words))?.StateValue;
}

test('knows the deployed consumer with its mapping and topics', () => {
  expect(consumer()).toMatchObject({
    name: 'Fixture',
    topic: { topicName: 'fixture', partitions: 2, maxRecordBytes: 1_048_588 },
    deadLetterTopic: { topicName: 'fixture-dead-letters', partitions: 2, maxRecordBytes: 1_114_124 },
    mapping: {
      topic: 'fixture',
      consumerGroupId: 'CloudFixture-Fixture',
      startingPosition: { type: 'TRIM_HORIZON' },
      batchSize: 100,
      maximumRetryAttempts: -1,
      reportsBatchItemFailures: true,
    },
  });
});

test('a record goes through the deployed bundle on Node 24 into a table', async () => {
  const id = randomUUID();

  await producer.send({ topic: 'fixture', messages: [{ value: id }] });

  await expect
    .poll(() => seen(id), { timeout: 15_000 })
    .toMatchObject({
      node: { S: expect.stringMatching(/^v24\./) },
      brokers: { S: cloud.description.bootstrapServers },
    });
}, 20_000);

test("hands over what a function prints, under the consumer's name", async () => {
  const id = randomUUID();

  await producer.send({ topic: 'fixture', messages: [{ value: id, partition: 1 }] });

  await vi.waitFor(() => expect(printed).toContainEqual(expect.stringContaining(`wrote ${id} of fixture-1`)), 15_000);
  expect(printed.find((line) => line.includes(id))).toMatch(/^Fixture: /);
}, 20_000);

test('a dead letter in a function’s embedded metrics sets off the deployed alarm', async () => {
  expect(await alarmState('dead-letters')).not.toBe('ALARM');

  await producer.send({ topic: 'fixture', messages: [{ value: 'dead' }] });

  await expect.poll(() => alarmState('dead-letters'), { timeout: 15_000 }).toBe('ALARM');
}, 20_000);

test('a queue that is not empty sets off its alarm, though the emulator does not measure queues', async () => {
  const sqs = new SQSClient(clientConfig(cloud.description.endpoint));
  const QueueUrl = consumer().function.environment['LOCKSTEP_FALLBACK_QUEUE_URL'];
  expect(await alarmState('fallback-queue')).not.toBe('ALARM');

  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a letter that the topic refused' }));

  await expect.poll(() => alarmState('fallback-queue'), { timeout: 15_000 }).toBe('ALARM');
}, 20_000);

test('a function has its own role’s rights only, and the refused action is named', async () => {
  await producer.send({ topic: 'fixture', messages: [{ value: 'forbidden' }] });

  await vi.waitFor(() => expect(printed.join('\n')).toMatch(/not authorized to perform: dynamodb:PutItem/), 15_000);
  await expect.poll(() => alarmState('function-errors'), { timeout: 15_000 }).toBe('ALARM');
}, 40_000);
