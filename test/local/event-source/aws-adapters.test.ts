import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackResourcesCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Failure } from '../../../infra/local/event-source/discard-document.ts';
import { envelopeOf } from '../../../infra/local/event-source/event-json.ts';
import { sqsDestination } from '../../../infra/local/event-source/failure-destination.ts';
import { lambdaInvoker } from '../../../infra/local/event-source/lambda-invoker.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { sqsWithRoleOf } from '../../../infra/local/role-credentials.ts';

const FUNCTION_CODE = `exports.handler = async (event) => {
  console.log('got ' + event.does);
  if (event.does === 'throw') throw new Error('on purpose');
  if (event.does === 'die') process.exit(1);
  if (event.does === 'hang') await new Promise(() => setInterval(() => {}, 1000));
  return { batchItemFailures: [] };
};`;

const assumedBy = (Service: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }],
});
const role = (statements: readonly object[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: assumedBy('lambda.amazonaws.com'),
    Policies: [{ PolicyName: 'own', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
  },
});
const logs = { Effect: 'Allow', Action: 'logs:*', Resource: '*' };

const { endpoint } = inject('localCloud');
const config = clientConfig(endpoint);
const cloudformation = new CloudFormationClient(config);
const lambda = new LambdaClient(config);
const sqs = new SQSClient(config);
const StackName = 'event-source-adapters';
const physical = new Map<string, string>();

beforeAll(async () => {
  const send = { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': ['Failures', 'Arn'] } };
  const TemplateBody = JSON.stringify({
    Resources: {
      Failures: { Type: 'AWS::SQS::Queue' },
      Granted: role([logs, send]),
      Forgotten: role([logs]),
      Orders: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          Timeout: 2,
          Role: { 'Fn::GetAtt': ['Granted', 'Arn'] },
          Code: { ZipFile: FUNCTION_CODE },
        },
      },
    },
  });
  await cloudformation.send(new CreateStackCommand({ StackName, TemplateBody, Capabilities: ['CAPABILITY_IAM'] }));
  await waitUntilStackCreateComplete({ client: cloudformation, maxWaitTime: 60, minDelay: 1 }, { StackName });
  const { StackResources = [] } = await cloudformation.send(new DescribeStackResourcesCommand({ StackName }));
  for (const { LogicalResourceId = '', PhysicalResourceId = '' } of StackResources) {
    physical.set(LogicalResourceId, PhysicalResourceId);
  }
});

afterAll(async () => {
  await cloudformation.send(new DeleteStackCommand({ StackName }));
  for (const client of [cloudformation, lambda, sqs]) client.destroy();
});

const id = (logical: string): string => physical.get(logical) ?? '';

describe('invoking through the Lambda API', () => {
  test('an answer comes with its payload, its request id and its log', async () => {
    const invocation = await lambdaInvoker(lambda).invoke(id('Orders'), '{"does":"answer"}');

    expect(invocation).toMatchObject({
      type: 'answered',
      payload: '{"batchItemFailures": []}',
      requestId: expect.any(String),
      log: expect.stringContaining('got answer'),
    });
  });

  test.each([
    ['throw', 'on purpose'],
    ['die', 'Worker process died'],
    ['hang', 'Task timed out'],
  ])(
    'a function that does this ends in an error: %s',
    async (does, text) => {
      const invocation = await lambdaInvoker(lambda).invoke(id('Orders'), JSON.stringify({ does }));

      expect(invocation).toMatchObject({ type: 'functionError', payload: expect.stringContaining(text) });
    },
    20_000,
  );

  test('a function that is not there was not invoked', async () => {
    const invocation = await lambdaInvoker(lambda).invoke('nowhere', '{}');

    expect(invocation).toMatchObject({ type: 'notInvoked', reason: expect.stringContaining('ResourceNotFound') });
  });
});

describe('the on-failure queue', () => {
  const queueArn = () => `arn:aws:sqs:us-east-1:000000000000:${id('Failures').split('/').at(-1)}`;
  const roleArn = (logical: string) => `arn:aws:iam::000000000000:role/${id(logical)}`;
  const discards = [
    {
      partition: 'orders-0',
      records: [{ offset: 5, timestamp: 1_700_000_000_000, bytes: 2, json: '{}', key: null }],
      condition: 'RetryAttemptsExhausted' as const,
      invokeCount: 2,
    },
  ];
  const failure: Failure = {
    mapping: {
      uuid: 'uuid',
      functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:orders',
      eventSourceArn: 'arn:aws:kafka:us-east-1:000000000000:cluster/c/1',
      topic: 'orders',
      consumerGroupId: 'group',
      startingPosition: { type: 'TRIM_HORIZON' },
    },
    bootstrapServers: '127.0.0.1:9092',
    envelope: envelopeOf('arn:aws:kafka:us-east-1:000000000000:cluster/c/1', '127.0.0.1:9092'),
    nowMs: 1_700_000_000_000,
  };

  test('takes the document with the rights of the function', async () => {
    const { client, queueUrl } = await sqsWithRoleOf(endpoint, roleArn('Granted'), queueArn());
    const queue = sqsDestination(client, queueUrl);
    await queue.deliver(discards, failure);
    await queue.close();

    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: id('Failures') }));
    expect(JSON.parse(Messages[0]?.Body ?? '{}')).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
      KafkaBatchInfo: { recordsInfo: { 'orders-0': { firstRecordOffset: '5', lastRecordOffset: '5' } } },
    });
  });

  test('refuses it where the grant was forgotten', async () => {
    const { client, queueUrl } = await sqsWithRoleOf(endpoint, roleArn('Forgotten'), queueArn());
    const queue = sqsDestination(client, queueUrl);

    await expect(queue.deliver(discards, failure)).rejects.toThrow(/sqs:SendMessage/);
    await queue.close();
  });
});
