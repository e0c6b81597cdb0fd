import type { Mapping, MetricGroup, OnFailureDestination, StartingPosition } from './event-source/mapping.ts';
import { fields, type StackTemplate, type TemplateResource } from './stack-template.ts';

const METRIC_GROUPS: readonly MetricGroup[] = ['EventCount', 'ErrorCount', 'KafkaMetrics'];

/**
 * A mapping as the event source takes it, from an `AWS::Lambda::EventSourceMapping`.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
 *
 * @throws if a needed property is missing; the text names it
 */
export function mappingOfTemplate(stack: StackTemplate, resource: TemplateResource, functionArn: string): Mapping {
  const { logicalId, physicalId, properties } = resource;
  const topic = listOf(properties['Topics'])[0];
  if (typeof topic !== 'string') throw new Error(`Mapping ${logicalId} names no topic in \`Topics\`.`);
  const group = fields(
    properties['AmazonManagedKafkaEventSourceConfig'] ?? properties['SelfManagedKafkaEventSourceConfig'],
  )['ConsumerGroupId'];
  const window = numberOf(properties['MaximumBatchingWindowInSeconds']);
  const patterns = listOf(fields(properties['FilterCriteria'])['Filters']).map((filter) => fields(filter)['Pattern']);
  const onFailure = fields(fields(properties['DestinationConfig'])['OnFailure'])['Destination'];
  const metrics = listOf(fields(properties['MetricsConfig'])['Metrics']);
  return {
    uuid: physicalId,
    functionArn,
    topic,
    // A self-managed cluster has none.
    ...(properties['EventSourceArn'] !== undefined && { eventSourceArn: stack.resolve(properties['EventSourceArn']) }),
    // Without one Lambda uses the mapping's UUID.
    consumerGroupId: typeof group === 'string' ? group : physicalId,
    startingPosition: startingPosition(properties),
    batchSize: numberOf(properties['BatchSize']),
    batchingWindowMs: window === undefined ? undefined : window * 1_000,
    filters: patterns.map(String),
    maximumRetryAttempts: numberOf(properties['MaximumRetryAttempts']),
    maximumRecordAgeSeconds: numberOf(properties['MaximumRecordAgeInSeconds']),
    bisectOnFunctionError: properties['BisectBatchOnFunctionError'] === true,
    reportsBatchItemFailures: listOf(properties['FunctionResponseTypes']).includes('ReportBatchItemFailures'),
    onFailure: onFailure === undefined ? undefined : destination(stack.resolve(onFailure)),
    metrics: METRIC_GROUPS.filter((name) => metrics.includes(name)),
    minimumPollers: numberOf(fields(properties['ProvisionedPollerConfig'])['MinimumPollers']),
  };
}

function startingPosition(properties: TemplateResource['properties']): StartingPosition {
  switch (properties['StartingPosition']) {
    case 'AT_TIMESTAMP':
      return { type: 'AT_TIMESTAMP', timestampMs: Number(properties['StartingPositionTimestamp']) * 1_000 };
    case 'LATEST':
      return { type: 'LATEST' };
    default:
      return { type: 'TRIM_HORIZON' };
  }
}

function destination(name: string): OnFailureDestination {
  if (name.startsWith('kafka://')) return { type: 'kafka', topic: name.slice('kafka://'.length) };
  return { type: 'sqs', queueArn: name };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** CloudFormation takes numbers as texts too. */
function numberOf(value: unknown): number | undefined {
  return value === undefined ? undefined : Number(value);
}
