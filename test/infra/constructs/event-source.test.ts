import { Duration } from 'aws-cdk-lib';
import { EventRecordFormat, KafkaSchemaValidationAttribute } from 'aws-cdk-lib/aws-lambda';
import { GlueSchemaRegistry } from 'aws-cdk-lib/aws-lambda-event-sources';
import { describe, expect, test } from 'vitest';
import { only, synthConsumer } from '../synth.ts';

const REGISTRY = 'arn:aws:glue:eu-central-1:111122223333:registry/orders';
const registry = new GlueSchemaRegistry({
  schemaRegistryArn: REGISTRY,
  eventRecordFormat: EventRecordFormat.JSON,
  schemaValidationConfigs: [{ attribute: KafkaSchemaValidationAttribute.VALUE }],
});

describe('the mapping', () => {
  test('takes size, window, pollers, start and filters as given', () => {
    const template = synthConsumer({
      batchSize: 500,
      batchingWindow: Duration.seconds(5),
      pollers: { minimum: 2, maximum: 2, group: 'shared' },
      startFrom: new Date('2026-11-21T00:00:00Z'),
      filters: [{ value: { type: ['created'] } }],
    });
    expect(only(template, 'AWS::Lambda::EventSourceMapping')).toMatchObject({
      BatchSize: 500,
      MaximumBatchingWindowInSeconds: 5,
      ProvisionedPollerConfig: { MinimumPollers: 2, MaximumPollers: 2, PollerGroupName: 'shared' },
      StartingPosition: 'AT_TIMESTAMP',
      StartingPositionTimestamp: 1795219200,
      FilterCriteria: { Filters: [{ Pattern: '{"value":{"type":["created"]}}' }] },
    });
  });

  test('logs what its pollers do, where that is asked for', () => {
    const mapping = (props: Parameters<typeof synthConsumer>[0]) =>
      only(synthConsumer(props), 'AWS::Lambda::EventSourceMapping');

    expect(mapping({ mappingLogLevel: 'INFO' })['LoggingConfig']).toEqual({ SystemLogLevel: 'INFO' });
    expect(mapping({})['LoggingConfig']).toBeUndefined();
  });

  test('sends to the failure queue, after its own retries, what the function never saw', () => {
    const template = synthConsumer({ onFailureDestination: { retryAttempts: 100 } });
    expect(only(template, 'AWS::Lambda::EventSourceMapping')).toMatchObject({
      MaximumRetryAttempts: 100,
      MaximumRecordAgeInSeconds: -1,
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::GetAtt': [expect.stringMatching(/^OrdersFailureQueue/), 'Arn'] } },
      },
    });
    template.resourceCountIs('AWS::SQS::Queue', 2);
    expect(JSON.stringify(template.findOutputs('OrdersLockstepConsumer'))).toContain('FailureQueueUrl');
  });

  test('decodes values through a registry, and tells the function that it must read the originals back', () => {
    const template = synthConsumer({ schemaRegistry: registry, onFailureDestination: { retryAttempts: 100 } });
    expect(only(template, 'AWS::Lambda::EventSourceMapping')).toMatchObject({
      AmazonManagedKafkaEventSourceConfig: {
        ConsumerGroupId: 'Shop-Orders',
        SchemaRegistryConfig: {
          SchemaRegistryURI: REGISTRY,
          EventRecordFormat: 'JSON',
          SchemaValidationConfigs: [{ Attribute: 'VALUE' }],
        },
      },
    });
    expect(only(template, 'AWS::Lambda::Function')).toMatchObject({
      Environment: { Variables: { LOCKSTEP_VALUES_DECODED_BY_MAPPING: 'true' } },
    });
  });

  test('in on-demand mode knows none of it, and the function throws', () => {
    const template = synthConsumer({ mode: 'on-demand' });
    expect(Object.keys(only(template, 'AWS::Lambda::EventSourceMapping'))).toEqual([
      'AmazonManagedKafkaEventSourceConfig',
      'BatchSize',
      'EventSourceArn',
      'FunctionName',
      'StartingPosition',
      'Topics',
    ]);
    expect(only(template, 'AWS::Lambda::Function')).toMatchObject({
      Environment: { Variables: { LOCKSTEP_FAILURE_MODE: 'throw' } },
    });
  });
});
