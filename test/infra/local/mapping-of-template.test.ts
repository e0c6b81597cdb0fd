import { expect, test } from 'vitest';
import { mappingOfTemplate } from '../../../infra/local/mapping-of-template.ts';
import { stackTemplate } from '../../../infra/local/stack-template.ts';

const CLUSTER = 'arn:aws:kafka:us-east-1:000000000000:cluster/lockstep/27d8d6c7';
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:orders';

function mappingOf(properties: Record<string, unknown>) {
  const stack = stackTemplate(
    JSON.stringify({
      Resources: {
        Source: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: { EventSourceArn: CLUSTER, Topics: ['orders'], FunctionName: { Ref: 'Handler' }, ...properties },
        },
        Handler: { Type: 'AWS::Lambda::Function' },
        Failures: { Type: 'AWS::SQS::Queue' },
      },
    }),
    [
      physical('Source', '74a641c0'),
      physical('Handler', 'orders'),
      physical('Failures', 'https://127.0.0.1:4566/000000000000/failures-1'),
    ],
  );
  const [resource] = stack.resources('AWS::Lambda::EventSourceMapping');
  if (resource === undefined) throw new Error('no mapping');
  return mappingOfTemplate(stack, resource, FUNCTION);
}

function physical(LogicalResourceId: string, PhysicalResourceId: string) {
  return {
    LogicalResourceId,
    PhysicalResourceId,
    ResourceType: undefined,
    ResourceStatus: undefined,
    Timestamp: undefined,
  };
}

test('reads what the Lambda API leaves out', () => {
  expect(
    mappingOf({
      AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'billing' },
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 500,
      MaximumBatchingWindowInSeconds: 2,
      MaximumRetryAttempts: -1,
      MaximumRecordAgeInSeconds: -1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      FilterCriteria: { Filters: [{ Pattern: '{"value":{"kind":["order"]}}' }] },
      MetricsConfig: { Metrics: ['EventCount', 'KafkaMetrics'] },
      ProvisionedPollerConfig: { MinimumPollers: 2, MaximumPollers: 4 },
    }),
  ).toEqual({
    uuid: '74a641c0',
    functionArn: FUNCTION,
    eventSourceArn: CLUSTER,
    topic: 'orders',
    consumerGroupId: 'billing',
    startingPosition: { type: 'TRIM_HORIZON' },
    batchSize: 500,
    batchingWindowMs: 2_000,
    filters: ['{"value":{"kind":["order"]}}'],
    maximumRetryAttempts: -1,
    maximumRecordAgeSeconds: -1,
    bisectOnFunctionError: false,
    reportsBatchItemFailures: true,
    onFailure: undefined,
    metrics: ['EventCount', 'KafkaMetrics'],
    minimumPollers: 2,
  });
});

test('a mapping without a group has its UUID as one, and what is not said is Lambda’s default', () => {
  expect(mappingOf({})).toMatchObject({
    consumerGroupId: '74a641c0',
    startingPosition: { type: 'TRIM_HORIZON' },
    batchSize: undefined,
    batchingWindowMs: undefined,
    reportsBatchItemFailures: false,
    filters: [],
    metrics: [],
  });
});

test('a starting time is in seconds', () => {
  expect(
    mappingOf({ StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: 1_795_257_653 }).startingPosition,
  ).toEqual({ type: 'AT_TIMESTAMP', timestampMs: 1_795_257_653_000 });
});

test('a destination is a queue of the stack, or a topic', () => {
  const destination = (Destination: unknown) =>
    mappingOf({ DestinationConfig: { OnFailure: { Destination } } }).onFailure;

  expect(destination({ 'Fn::GetAtt': ['Failures', 'Arn'] })).toEqual({
    type: 'sqs',
    queueArn: 'arn:aws:sqs:us-east-1:000000000000:failures-1',
  });
  expect(destination('kafka://given-up')).toEqual({ type: 'kafka', topic: 'given-up' });
});

test('what cannot be resolved is named', () => {
  expect(() => mappingOf({ EventSourceArn: { 'Fn::ImportValue': 'cluster' } })).toThrow(
    'The local cloud cannot tell what {"Fn::ImportValue":"cluster"} stands for.',
  );
  expect(() => mappingOf({ Topics: [] })).toThrow('Mapping Source names no topic in `Topics`.');
});
