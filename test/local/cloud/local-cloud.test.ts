import { randomUUID } from 'node:crypto';
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import {
  CloudWatchClient,
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from 'vitest';
import type { CloudDescription } from '../../../infra/local/cloud-description.ts';
import { type RunningConsumers, runConsumers } from '../../../infra/local/consumers.ts';
import { openStacks } from '../../../infra/local/deploy-stacks.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { assumeRole } from '../../../infra/local/role-credentials.ts';
import { makeTopics } from '../../../infra/local/topics.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { CLOUD_STACK } from './fixtures/cloud-stack.ts';

let cloud: CloudDescription;
let running: RunningConsumers;
let producer: Producer;
let dynamo: DynamoDBClient;
let cloudwatch: CloudWatchClient;
const printed: string[] = [];

beforeAll(async () => {
  cloud = await openStacks(inject('localCloud'), [CLOUD_STACK]);
  running = await runConsumers(cloud, { onLog: (name, line) => printed.push(`${name}: ${line}`) });
  const kafka = kafkaJsClient({ brokers: [cloud.bootstrapServers], logLevel: logLevel.NOTHING });
  producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  dynamo = new DynamoDBClient(clientConfig(cloud.endpoint));
  cloudwatch = new CloudWatchClient(clientConfig(cloud.endpoint));
});

afterAll(async () => {
  await producer?.disconnect();
  await running?.stop();
});

async function seen(id: string) {
  const TableName = consumer().function.environment['SEEN_TABLE'];
  const { Item } = await dynamo.send(new GetItemCommand({ TableName, Key: { id: { S: id } } }));
  return Item;
}

function consumer() {
  const [only] = cloud.deployed.consumers;
  if (only === undefined) throw new Error('no consumer is deployed');
  return only;
}

async function alarmState(name: string, stack = CLOUD_STACK): Promise<string | undefined> {
  const AlarmNames = [`${stack}-Fixture-${name}`];
  const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames }));
  expect(MetricAlarms).toHaveLength(1);
  return MetricAlarms[0]?.StateValue;
}

test('knows the deployed consumer with its mapping and topics', () => {
  expect(consumer()).toMatchObject({
    name: 'Fixture',
    topic: { topicName: 'fixture', partitions: 2, maxRecordBytes: 1_048_588 },
    deadLetterTopic: { topicName: 'CloudFixture-Fixture-dead-letters', partitions: 2, maxRecordBytes: 1_114_124 },
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
    .poll(() => seen(id), { timeout: 180_000 })
    .toMatchObject({
      node: { S: expect.stringMatching(/^v24\./) },
      brokers: { S: cloud.bootstrapServers },
    });
});

test("hands over what a function prints, under the consumer's name", async () => {
  const id = randomUUID();

  await producer.send({ topic: 'fixture', messages: [{ value: id, partition: 1 }] });

  await vi.waitFor(() => expect(printed).toContainEqual(expect.stringContaining(`wrote ${id} of fixture-1`)), {
    timeout: 180_000,
  });
  expect(printed.find((line) => line.includes(id))).toMatch(/^Fixture: /);
});

const TWIN = 'CloudTwin';
const TWIN_TOPIC = 'fixture-of-the-twin';
const TWIN_LETTERS = `${TWIN}-Fixture-dead-letters`;

/** The deployed stack under another name, with a consumer of the same name. What a production stack keeps is kept. */
async function twinTemplate(cloudformation: CloudFormationClient): Promise<{ Resources: Record<string, object> }> {
  const { TemplateBody = '' } = await cloudformation.send(new GetTemplateCommand({ StackName: CLOUD_STACK }));
  const text = JSON.stringify(JSON.parse(TemplateBody));
  return JSON.parse(
    text
      .replaceAll(CLOUD_STACK, TWIN)
      .replaceAll('"fixture"', JSON.stringify(TWIN_TOPIC))
      .replaceAll('"DeletionPolicy":"Delete"', '"DeletionPolicy":"Retain"'),
  );
}

test('a first deployment that fails in the middle is repeated, and its alarms ring apart from those of its twin', async () => {
  const cloudformation = new CloudFormationClient(clientConfig(cloud.endpoint));
  const admin = kafkaJsClient({ brokers: [cloud.bootstrapServers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  // Kept by a stack that was there before, with a letter in it.
  await makeTopics(cloud.bootstrapServers, [{ topicName: TWIN_LETTERS, partitions: 2, stampsOnAppend: true }]);
  await producer.send({ topic: TWIN_LETTERS, messages: [{ value: 'kept', partition: 0 }] });
  const template = await twinTemplate(cloudformation);
  const create = async (resources: Record<string, object>) => {
    const TemplateBody = JSON.stringify({ ...template, Resources: { ...template.Resources, ...resources } });
    const Capabilities = ['CAPABILITY_NAMED_IAM' as const];
    await cloudformation.send(new CreateStackCommand({ StackName: TWIN, TemplateBody, Capabilities }));
    await expect.poll(status).not.toMatch(/IN_PROGRESS$/);
    return status();
  };
  const status = async () =>
    (await cloudformation.send(new DescribeStacksCommand({ StackName: TWIN }))).Stacks?.[0]?.StackStatus;
  const [handler = ''] = Object.keys(template.Resources).filter((id) => id.startsWith('FixtureHandlerFunction'));

  // Refused by the emulator, once the function is there.
  const Properties = { AlarmName: 'math', Metrics: [{ Id: 'one', Expression: '1' }], Threshold: 0 };
  const refused = { Type: 'AWS::CloudWatch::Alarm', DependsOn: handler, Properties };
  expect(await create({ Refused: refused })).toMatch(/ROLLBACK_COMPLETE|CREATE_FAILED/);
  await cloudformation.send(new DeleteStackCommand({ StackName: TWIN }));
  await expect.poll(() => status().catch(() => 'gone')).toMatch(/gone|DELETE_COMPLETE/);
  expect(await create({})).toBe('CREATE_COMPLETE');

  const twin = await openStacks(inject('localCloud'), [TWIN]);
  const ofTwin = await runConsumers(twin);
  onTestFinished(() => ofTwin.stop());
  await producer.send({ topic: TWIN_TOPIC, messages: [{ value: 'dead' }] });
  await expect.poll(() => alarmState('dead-letters', TWIN), { timeout: 180_000 }).toBe('ALARM');
  const AlarmName = `${TWIN}-Fixture-dead-letters`;
  const { AlarmHistoryItems = [] } = await cloudwatch.send(
    new DescribeAlarmHistoryCommand({ AlarmName, HistoryItemType: 'StateUpdate' }),
  );
  expect(AlarmHistoryItems.filter(({ HistorySummary }) => HistorySummary?.endsWith('to ALARM'))).toHaveLength(1);
  expect(await alarmState('dead-letters')).not.toBe('ALARM');
  expect(await admin.fetchTopicOffsets(TWIN_LETTERS)).toContainEqual(
    expect.objectContaining({ partition: 0, low: '0', high: '1' }),
  );
});

test('a dead letter in a function’s embedded metrics sets off the deployed alarm', async () => {
  expect(await alarmState('dead-letters')).not.toBe('ALARM');

  await producer.send({ topic: 'fixture', messages: [{ value: 'dead' }] });

  await expect.poll(() => alarmState('dead-letters'), { timeout: 180_000 }).toBe('ALARM');
});

test('a queue that is not empty sets off its alarm, though the emulator does not measure queues', async () => {
  const QueueUrl = consumer().function.environment['LOCKSTEP_FALLBACK_QUEUE_URL'];
  // Its policy lets nobody else send.
  const credentials = await assumeRole(cloud.endpoint, consumer().function.roleArn);
  const sqs = new SQSClient({ ...clientConfig(cloud.endpoint), credentials });
  expect(await alarmState('fallback-queue')).not.toBe('ALARM');

  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a letter that the topic refused' }));

  await expect.poll(() => alarmState('fallback-queue'), { timeout: 180_000 }).toBe('ALARM');
});

test('a function has its own role’s rights only, and the refused action is named', async () => {
  await producer.send({ topic: 'fixture', messages: [{ value: 'forbidden' }] });

  await vi.waitFor(() => expect(printed.join('\n')).toMatch(/not authorized to perform: dynamodb:PutItem/), {
    timeout: 180_000,
  });
  await expect.poll(() => alarmState('function-errors'), { timeout: 180_000 }).toBe('ALARM');
});

test('an alarm watches the metric of its own consumer and stack, and no other’s', async () => {
  const put = (service: string, stack: string) =>
    cloudwatch.send(
      new PutMetricDataCommand({
        Namespace: 'Lockstep',
        MetricData: [
          {
            MetricName: 'LossSuspected',
            Value: 1,
            Unit: 'Count',
            Dimensions: [
              { Name: 'service', Value: service },
              { Name: 'stack', Value: stack },
            ],
          },
        ],
      }),
    );

  // What is put is evaluated by the time of the answer.
  await put('Another', CLOUD_STACK);
  await put('Fixture', 'AnotherStack');
  expect(await alarmState('loss-suspected')).not.toBe('ALARM');
  await put('Fixture', CLOUD_STACK);
  expect(await alarmState('loss-suspected')).toBe('ALARM');
});
