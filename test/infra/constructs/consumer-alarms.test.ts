import { readFileSync } from 'node:fs';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { EventRecordFormat, KafkaSchemaValidationAttribute } from 'aws-cdk-lib/aws-lambda';
import { GlueSchemaRegistry } from 'aws-cdk-lib/aws-lambda-event-sources';
import { describe, expect, test } from 'vitest';
import { ClusterStack } from '../../../infra/cluster-stack.ts';
import { AlarmTopic } from '../../../infra/constructs/alarm-topic.ts';
import { ConsumersDashboard } from '../../../infra/constructs/consumers-dashboard.ts';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { alarms, alarmRules as rules } from '../alarm-rules.ts';
import { CLUSTER, LEAST, synth, synthConsumer } from '../synth.ts';

const RECORDS_AND_LEDGER = {
  'dead-letters': 'Lockstep RecordsDeadLettered Sum > 0, 1 of 1, missing: notBreaching',
  'blocked-record': 'Lockstep BlockedRecordAgeMs Maximum > 900000, 1 of 1, missing: notBreaching',
  'records-not-redelivered': 'Lockstep RecordsNotRedelivered Sum > 0, 1 of 1, missing: notBreaching',
  'replay-halted': 'Lockstep ReplayHalted Sum > 0, 1 of 1, missing: notBreaching',
  'flood-breaker': 'Lockstep FloodBreakerOpen Sum > 0, 1 of 1, missing: notBreaching',
  'partition-full': 'Lockstep PartitionsFull Sum > 0, 3 of 5, missing: notBreaching',
  'fenced-commits': 'Lockstep FencedCommits Sum > 5, 1 of 1, missing: notBreaching',
  'ledger-unavailable': 'Lockstep LedgerUnavailable Sum > 0, 3 of 5, missing: notBreaching',
  'topic-recreated': 'Lockstep TopicsRecreated Sum > 0, 1 of 1, missing: notBreaching',
  'fallback-queue': 'AWS/SQS ApproximateNumberOfMessagesVisible Maximum > 0, 1 of 1, missing: notBreaching',
  throttles: 'AWS/Lambda Throttles Sum > 0, 5 of 5, missing: notBreaching',
  duration: 'AWS/Lambda Duration Maximum > 54000, 5 of 5, missing: notBreaching',
  'lag-time': 'AWS/Kafka EstimatedMaxTimeLag Maximum > 900, 15 of 15, missing: notBreaching',
};

const ERRORS = { 'function-errors': 'AWS/Lambda Errors Sum > 0, 1 of 1, missing: notBreaching' };

const MAPPING = {
  'events-dropped': 'AWS/Lambda DroppedEventCount Sum > 0, 1 of 1, missing: notBreaching',
  'lag-records': 'AWS/Lambda MaxOffsetLag Maximum > 10000, 15 of 15, missing: notBreaching',
  'pollers-gone': 'AWS/Lambda ProvisionedPollers Maximum < 1, 5 of 5, missing: breaching',
  'polling-errors': 'AWS/Lambda PollingErrorCount Sum > 0, 3 of 5, missing: notBreaching',
  'commit-errors': 'AWS/Lambda CommitErrorCount Sum > 0, 3 of 5, missing: notBreaching',
};

const FAILURE_QUEUE = {
  'failure-queue': 'AWS/SQS ApproximateNumberOfMessagesVisible Maximum > 0, 1 of 1, missing: notBreaching',
  'failure-destination-refused':
    'AWS/Lambda OnFailureDestinationDeliveryErrorCount Sum > 0, 1 of 1, missing: notBreaching',
};

describe('the alarms of a consumer', () => {
  test('watch blocked records, ledger, queues, function, mapping and lag', () => {
    expect(rules(synthConsumer())).toEqual({ ...RECORDS_AND_LEDGER, ...ERRORS, ...MAPPING });
  });

  test('watch parked keys where keys park', () => {
    const watched = rules(synthConsumer({ operations: true, retry: { onExhausted: 'park' } }));

    expect(watched).toMatchObject({
      'parked-key': 'Lockstep ParkedAgeMs Maximum > 14400000, 1 of 1, missing: notBreaching',
      'parked-keys-full': 'Lockstep ParkedKeysFull Sum > 0, 1 of 1, missing: notBreaching',
    });
  });

  test('watch the failure queue where there is one', () => {
    expect(rules(synthConsumer({ onFailureDestination: { retryAttempts: 100 } }))).toEqual({
      ...RECORDS_AND_LEDGER,
      ...ERRORS,
      ...MAPPING,
      ...FAILURE_QUEUE,
    });
  });

  test('watch the relay and its queues where there are relay and operator functions', () => {
    expect(rules(synthConsumer({ operations: true, onFailureDestination: { retryAttempts: 100 } }))).toEqual({
      ...RECORDS_AND_LEDGER,
      ...ERRORS,
      ...MAPPING,
      ...FAILURE_QUEUE,
      'relay-errors': 'AWS/Lambda Errors Sum > 0, 3 of 5, missing: notBreaching',
      'relay-behind': 'AWS/SQS ApproximateAgeOfOldestMessage Maximum > 900, 1 of 1, missing: notBreaching',
      'relay-behind-failures': 'AWS/SQS ApproximateAgeOfOldestMessage Maximum > 900, 1 of 1, missing: notBreaching',
    });
  });

  test('watch the schema registry where the mapping decodes values with one', () => {
    const schemaRegistry = new GlueSchemaRegistry({
      schemaRegistryArn: 'arn:aws:glue:eu-central-1:111122223333:registry/orders',
      eventRecordFormat: EventRecordFormat.JSON,
      schemaValidationConfigs: [{ attribute: KafkaSchemaValidationAttribute.VALUE }],
    });
    expect(rules(synthConsumer({ schemaRegistry, onFailureDestination: { retryAttempts: 100 } }))).toEqual({
      ...RECORDS_AND_LEDGER,
      ...ERRORS,
      ...MAPPING,
      ...FAILURE_QUEUE,
      'registry-errors': 'AWS/Lambda SchemaRegistryErrorCount Sum > 0, 1 of 1, missing: notBreaching',
    });
  });

  test('expect errors of a function that throws to be given a batch again, but not for ever', () => {
    expect(rules(synthConsumer({ mode: 'on-demand' }))).toEqual({
      ...RECORDS_AND_LEDGER,
      'function-errors': 'AWS/Lambda Errors Sum > 0, 15 of 15, missing: notBreaching',
    });
  });

  test('take their limits from options', () => {
    const changed = rules(
      synthConsumer({
        timeout: Duration.minutes(5),
        alarms: {
          deadLetters: 3,
          blockedFor: Duration.minutes(1),
          lagRecords: 7,
          lagTime: Duration.minutes(2),
          fencedCommits: 1,
          durationPercentOfTimeout: 50,
        },
      }),
    );
    expect(changed).toMatchObject({
      'dead-letters': expect.stringContaining('> 3,'),
      'blocked-record': expect.stringContaining('> 60000,'),
      'lag-records': expect.stringContaining('> 7,'),
      'lag-time': expect.stringContaining('> 120,'),
      'fenced-commits': expect.stringContaining('> 1,'),
      duration: expect.stringContaining('> 150000,'),
    });
  });

  test('look at this consumer only', () => {
    const dimensions = Object.fromEntries(
      alarms(synthConsumer()).map(({ MetricName, Dimensions }) => [
        MetricName,
        Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value])),
      ]),
    );
    expect(dimensions).toMatchObject({
      RecordsDeadLettered: { service: 'Orders', stack: 'Shop' },
      Errors: { FunctionName: { Ref: expect.stringMatching(/^OrdersHandlerFunction/) } },
      DroppedEventCount: { EventSourceMappingUUID: { Ref: expect.stringMatching(/^OrdersEventSource/) } },
      ApproximateNumberOfMessagesVisible: {
        QueueName: { 'Fn::GetAtt': [expect.stringMatching(/^OrdersFallbackQueue/), 'QueueName'] },
      },
      EstimatedMaxTimeLag: { 'Cluster Name': 'main', 'Consumer Group': 'Shop-Orders', Topic: 'orders' },
    });
  });

  test('of two stacks of an account, with consumers of one name, watch different metrics', () => {
    const [dev, prod] = ['Dev', 'Prod'].map((name) => {
      const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), name);
      new LockstepConsumer(stack, 'Orders', LEAST);
      return alarms(Template.fromStack(stack))
        .filter(({ Namespace }) => Namespace === 'Lockstep')
        .map(({ MetricName, Dimensions }) => JSON.stringify([MetricName, Dimensions]));
    });
    expect(dev?.length).toBeGreaterThan(0);
    expect(prod?.filter((metric) => dev?.includes(metric))).toEqual([]);
  });

  test('leave out what only the account of the cluster can see', () => {
    const vpcConnectionArn = 'arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/main/conn-9';
    expect(rules(synthConsumer({ cluster: { ...CLUSTER, vpcConnectionArn } }))).not.toHaveProperty('lag-time');
  });

  test('use no metric math, which an emulator could not evaluate', () => {
    for (const alarm of alarms(synthConsumer({ onFailureDestination: { retryAttempts: 100 } })))
      expect(alarm).not.toHaveProperty('Metrics');
  });

  test('notify one topic when they begin and when they end, and no other principal may publish there', () => {
    const template = synth((stack) => {
      const topic = new AlarmTopic(stack, 'Alarms', { email: 'ops@example.com' });
      new LockstepConsumer(stack, 'Orders', { ...LEAST, alarms: { topic } });
    });
    const topic = [{ Ref: expect.stringMatching(/^Alarms/) }];
    for (const alarm of alarms(template)) expect(alarm).toMatchObject({ AlarmActions: topic, OKActions: topic });
    template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'ops@example.com' });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: [
          { Effect: 'Deny', Action: 'sns:Publish', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
          {
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          },
        ],
      },
    });
  });
});

describe('the runbook', () => {
  function clusterTemplate(): Template {
    const app = new App();
    const cluster = {
      type: 'new',
      region: 'eu-central-1',
      zones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],
      kafkaVersion: '3.9.x.kraft',
      brokerType: 'kafka.m7g.large',
      storageGiBPerBroker: 100,
    } as const;
    return Template.fromStack(new ClusterStack(app, 'Kafka', { cluster, env: { region: 'eu-central-1' } }));
  }

  test('has an entry for each alarm, and each alarm says what it means, what to do first, and where it is', () => {
    const headings = [...readFileSync('docs/runbook.md', 'utf8').matchAll(/^### (.+)$/gm)].map(
      ([, heading]) => heading,
    );
    const linked = [
      ...alarms(
        synthConsumer({
          operations: true,
          retry: { onExhausted: 'park' },
          onFailureDestination: { retryAttempts: 100 },
        }),
      ),
      ...alarms(clusterTemplate()),
    ].map(
      ({ AlarmDescription }) => /^.{20,}\. First: .{10,}\. docs\/runbook\.md#([a-z-]+)$/.exec(AlarmDescription)?.[1],
    );
    expect(linked).not.toContain(undefined);
    expect(headings.toSorted()).toEqual([...new Set([...linked, 'registry-errors'])].toSorted());
  });

  test('may be somewhere else', () => {
    const template = synthConsumer({ alarms: { runbookUrl: 'https://wiki.example.com/orders' } });
    for (const { AlarmName, AlarmDescription } of alarms(template)) {
      expect(AlarmDescription).toMatch(
        new RegExp(` https://wiki\\.example\\.com/orders#${AlarmName.replace('Shop-Orders-', '')}$`),
      );
    }
  });
});

describe('the dashboard', () => {
  test('answers in its first row whether anything is stuck, lost or late, then draws each consumer', () => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const stack = new Stack(app, 'Shop', { env: { region: 'eu-central-1' } });
    const orders = new LockstepConsumer(stack, 'Orders', LEAST);
    const payments = new LockstepConsumer(stack, 'Payments', { ...LEAST, topic: 'payments' });
    new ConsumersDashboard(stack, 'Dashboard', { consumers: [orders, payments] });
    const [dashboard] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
    const { widgets } = JSON.parse(
      stack.resolve(dashboard?.['Properties'].DashboardBody['Fn::Join'][1]).map(String).join(''),
    );

    const rows = Map.groupBy<number, { y: number; x: number; properties: { title: string } }>(widgets, ({ y }) => y);
    expect([...rows.values()].map((row) => row.map(({ properties }) => properties.title))).toEqual([
      ['Is anything stuck?', 'Is anything lost or given up on?', 'Is anything late?'],
      ['Orders: records', 'Orders: age of blocked records (ms)', 'Orders: lag', 'Orders: out of the ordinary'],
      ['Payments: records', 'Payments: age of blocked records (ms)', 'Payments: lag', 'Payments: out of the ordinary'],
    ]);
  });

  test('has every alarm in its first row once', () => {
    let consumer: LockstepConsumer | undefined;
    synth((stack) => {
      consumer = new LockstepConsumer(stack, 'Orders', LEAST);
    });
    const questions = Map.groupBy(consumer?.alarms.all ?? [], ({ definition }) => definition.question);
    expect(
      Object.fromEntries(
        [...questions].map(([question, all]) => [question, all.map(({ definition }) => definition.name)]),
      ),
    ).toEqual({
      lost: ['dead-letters', 'records-not-redelivered', 'topic-recreated', 'fallback-queue', 'events-dropped'],
      stuck: [
        'blocked-record',
        'replay-halted',
        'flood-breaker',
        'partition-full',
        'ledger-unavailable',
        'function-errors',
        'pollers-gone',
        'polling-errors',
      ],
      late: ['fenced-commits', 'throttles', 'duration', 'lag-records', 'commit-errors', 'lag-time'],
    });
  });
});
