import type { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { roleStatements, synthConsumer } from '../synth.ts';

const ARN = 'arn:aws:kafka:eu-central-1:111122223333';

/** What the role of a relay or operator function may do, by statement; without what every function in a VPC needs. */
function grants(template: Template, operationsFunction: 'Relay' | 'Operator'): Record<string, unknown> {
  return Object.fromEntries(
    roleStatements(template, `OrdersOperations${operationsFunction}Role`)
      .filter(({ Sid = '' }) => !['WriteOwnLogs', 'AttachToTheVpc', 'NotFromTheHandler'].includes(Sid))
      .map(({ Sid, Action, Resource, Condition }) => [
        Sid,
        { Action, Resource, ...(Condition !== undefined && { Condition }) },
      ]),
  );
}

const template = synthConsumer({ operations: true, onFailureDestination: { retryAttempts: 100 } });

test('the relay may claim its own partitions, empty its queues, read the source and write letters, and nothing else', () => {
  const queue = expect.objectContaining({
    'Fn::GetAtt': [expect.stringMatching(/^Orders(Fallback|Failure)Queue/), 'Arn'],
  });
  expect(grants(template, 'Relay')).toEqual({
    FindTheBrokers: { Action: 'kafka:GetBootstrapBrokers', Resource: `${ARN}:cluster/main/uuid-1` },
    ClaimPartitions: {
      Action: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      Resource: expect.objectContaining({ 'Fn::GetAtt': [expect.stringMatching(/^LockstepLedger/), 'Arn'] }),
      Condition: {
        'ForAllValues:StringLike': {
          'dynamodb:LeadingKeys': ['partition#uuid-1#Shop-Orders#orders#*', 'secret#signing'],
        },
        Null: { 'dynamodb:LeadingKeys': 'false' },
      },
    },
    EmptyTheQueues: {
      Action: ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
      Resource: [queue, queue],
    },
    KeepWhatMustWait: { Action: 'sqs:SendMessage', Resource: queue },
    ConnectToTheCluster: { Action: 'kafka-cluster:Connect', Resource: `${ARN}:cluster/main/uuid-1` },
    ReadTheTopic: {
      Action: ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'],
      Resource: `${ARN}:topic/main/uuid-1/orders`,
    },
    SeeWhatIsCommitted: { Action: 'kafka-cluster:DescribeGroup', Resource: `${ARN}:group/main/uuid-1/Shop-Orders` },
    WriteDeadLetters: {
      Action: ['kafka-cluster:DescribeTopic', 'kafka-cluster:WriteData'],
      Resource: `${ARN}:topic/main/uuid-1/Shop-Orders-dead-letters`,
    },
  });
});

test('the operator function may use both topics, in transactions of one name, and of the ledger the secret alone', () => {
  expect(grants(template, 'Operator')).toEqual({
    FindTheBrokers: { Action: 'kafka:GetBootstrapBrokers', Resource: `${ARN}:cluster/main/uuid-1` },
    ConnectToTheCluster: {
      Action: ['kafka-cluster:Connect', 'kafka-cluster:WriteDataIdempotently'],
      Resource: `${ARN}:cluster/main/uuid-1`,
    },
    ReadAndRedrive: {
      Action: ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData', 'kafka-cluster:WriteData'],
      Resource: [`${ARN}:topic/main/uuid-1/orders`, `${ARN}:topic/main/uuid-1/Shop-Orders-dead-letters`],
    },
    KnowOwnLetters: {
      Action: 'dynamodb:UpdateItem',
      Resource: expect.anything(),
      Condition: {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['secret#signing'] },
        Null: { 'dynamodb:LeadingKeys': 'false' },
      },
    },
    SeeItsGroup: { Action: 'kafka-cluster:DescribeGroup', Resource: `${ARN}:group/main/uuid-1/Shop-Orders` },
    RedriveInTransactions: {
      Action: ['kafka-cluster:AlterTransactionalId', 'kafka-cluster:DescribeTransactionalId'],
      Resource: `${ARN}:transactional-id/main/uuid-1/lockstep-redrive.Shop-Orders.Shop-Orders-dead-letters`,
    },
  });
});

test('the relay is fed by both queues with partial answers, and by a schedule each minute', () => {
  const mappings = Object.values(template.findResources('AWS::Lambda::EventSourceMapping'))
    .map(({ Properties }) => Properties)
    .filter(({ Topics }) => Topics === undefined);
  expect(mappings).toHaveLength(2);
  for (const mapping of mappings)
    expect(mapping).toMatchObject({ BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] });
  template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
});

test('the queues hide what they hand out for longer than the relay may take', () => {
  for (const { Properties } of Object.values(template.findResources('AWS::SQS::Queue')))
    expect(Properties.VisibilityTimeout).toBe(360);
  const timeouts = Object.values(template.findResources('AWS::Lambda::Function')).map(
    ({ Properties }) => Properties.Timeout,
  );
  expect(timeouts).toEqual([60, 60, 300]);
});

test('a consumer without relay and operator functions has one function', () => {
  synthConsumer({ operations: false }).resourceCountIs('AWS::Lambda::Function', 1);
});
