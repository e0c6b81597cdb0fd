import { expect, test } from 'vitest';
import { synthConsumer } from '../synth.ts';

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

test('a consumer without relay and operator functions has one function', () => {
  synthConsumer({ operations: false }).resourceCountIs('AWS::Lambda::Function', 1);
});
