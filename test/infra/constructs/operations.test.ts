import { Duration } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { synthConsumer } from '../synth.ts';
import { textOf } from '../template-text.ts';

const template = synthConsumer({ operations: true, onFailureDestination: { retryAttempts: 100 } });

test('the relay is fed by both queues with partial answers, and by a schedule each minute', () => {
  const mappings = Object.values(template.findResources('AWS::Lambda::EventSourceMapping'))
    .map(({ Properties }) => Properties)
    .filter(({ Topics }) => Topics === undefined);
  expect(mappings).toHaveLength(2);
  for (const mapping of mappings)
    expect(mapping).toMatchObject({ BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] });
  template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
});

test('the queues keep what waits for as long as SQS can, 14 days, and encrypt it', () => {
  const queues = Object.values(template.findResources('AWS::SQS::Queue')).map(({ Properties }) => Properties);
  expect(queues).toHaveLength(2);
  for (const queue of queues)
    expect(queue).toMatchObject({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
});

test('the queues hide what they hand out for longer than the relay may take', () => {
  for (const { Properties } of Object.values(template.findResources('AWS::SQS::Queue')))
    expect(Properties.VisibilityTimeout).toBe(360);
  const timeouts = Object.values(template.findResources('AWS::Lambda::Function')).map(
    ({ Properties }) => Properties.Timeout,
  );
  expect(timeouts).toEqual([60, 60, 300]);
});

test('each function is started at the export that its bundle has', () => {
  const functions = Object.values(template.findResources('AWS::Lambda::Function'));
  expect(functions.map(({ Properties }) => Properties.Handler)).toEqual([
    'index.handler',
    'index.handler',
    'index.handler',
  ]);
});

test('a consumer without relay and operator functions has one function', () => {
  synthConsumer({ operations: false }).resourceCountIs('AWS::Lambda::Function', 1);
});

test('both functions are told what the consumer is told and how to release, but nothing of what its handler is told', () => {
  const functions = synthConsumer({
    operations: true,
    environment: { CURRENCY: 'EUR' },
    retry: { onExhausted: 'park', release: { every: Duration.minutes(5), maxRounds: 3 } },
  }).findResources('AWS::Lambda::Function');
  const told = Object.entries(functions).flatMap(([id, { Properties }]) => {
    const variables = Object.entries(Properties.Environment.Variables).map(([name, value]) => [name, textOf(value)]);
    return /^OrdersOperations/.test(id) ? [Object.fromEntries(variables)] : [];
  });
  const all = {
    LOCKSTEP_LEDGER_TABLE: '{LockstepLedgerTable}',
    LOCKSTEP_CONSUMER_GROUP: 'Shop-Orders',
    LOCKSTEP_DEAD_LETTER_TOPIC: 'Shop-Orders-dead-letters',
    LOCKSTEP_FALLBACK_QUEUE_URL: '{OrdersFallbackQueue}',
    LOCKSTEP_EVENT_SOURCE_ARN: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
    LOCKSTEP_TOPIC: 'orders',
    LOCKSTEP_MAX_ATTEMPTS: '5',
    LOCKSTEP_MAX_INTERRUPTIONS: '3',
    LOCKSTEP_ON_EXHAUSTED: 'park',
    LOCKSTEP_KEY_NAMESPACES: 'Shop-Orders',
    LOCKSTEP_CLUSTER_ARN: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
    LOCKSTEP_KAFKA_AUTH: 'iam',
    LOCKSTEP_VALUES_DECODED_BY_MAPPING: 'false',
    LOCKSTEP_FAILURE_MODE: 'report',
    LOCKSTEP_COMMAND_TARGET: '--stack Shop --consumer Orders',
    POWERTOOLS_METRICS_NAMESPACE: 'Lockstep',
    POWERTOOLS_SERVICE_NAME: 'Orders',
    LOCKSTEP_STACK: 'Shop',
    LOCKSTEP_CONSUMER_FUNCTION: '{OrdersHandlerFunction}',
    LOCKSTEP_RELEASE_EVERY_MS: '300000',
    LOCKSTEP_RELEASE_MAX_ROUNDS: '3',
    NODE_OPTIONS: '--enable-source-maps',
  };
  expect(told).toEqual([all, all]);
});
