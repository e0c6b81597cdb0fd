import { readFileSync } from 'node:fs';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { ClusterStack } from '../../../infra/cluster-stack.ts';
import type { AlarmOptions } from '../../../infra/constructs/alarm-options.ts';
import { AlarmTopic } from '../../../infra/constructs/alarm-topic.ts';
import type { LockstepConsumerProps } from '../../../infra/constructs/consumer-props.ts';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { alarms, alarmRules as rules } from '../alarm-rules.ts';
import { CLUSTER, LEAST, only, synth, synthAlarms, synthConsumer } from '../synth.ts';
import { textOf } from '../template-text.ts';

const RECORDS = {
  'blocked-record':
    'Lockstep BlockedRecordAgeMs of service Orders, stack Shop: Maximum of 60 s > 900000, 1 of 1, missing: notBreaching',
  'partition-halted':
    'Lockstep PartitionsHalted of service Orders, stack Shop: Sum of 60 s > 0, 3 of 5, missing: notBreaching',
  'loss-suspected': 'Lockstep LossSuspected of service Orders, stack Shop: Sum of 60 s > 0, 1 of 1, missing: ignore',
  'dead-letters':
    'Lockstep RecordsDeadLettered of service Orders, stack Shop: Sum of 60 s > 0, 1 of 1, missing: notBreaching',
};

const LAG = {
  'lag-time':
    'AWS/Kafka EstimatedMaxTimeLag of Cluster Name main, Consumer Group Shop-Orders, Topic orders: Maximum of 60 s > 900, 15 of 15, missing: notBreaching',
};

const ERRORS = {
  'function-errors':
    'AWS/Lambda Errors of FunctionName {referencetoShopOrdersHandlerFunctionRef}: Sum of 60 s > 0, 3 of 5, missing: notBreaching',
};

const MAPPING = {
  'events-dropped':
    'AWS/Lambda DroppedEventCount of EventSourceMappingUUID {referencetoShopOrdersEventSourceordersRef}: Sum of 60 s > 0, 1 of 1, missing: ignore',
  'pollers-gone':
    'AWS/Lambda ProvisionedPollers of EventSourceMappingUUID {referencetoShopOrdersEventSourceordersRef}: Maximum of 60 s < 1, 5 of 5, missing: breaching',
};

const QUEUE = {
  'fallback-queue':
    'AWS/SQS ApproximateNumberOfMessagesVisible of QueueName {referencetoShopOrdersFallbackQueueQueueName}: Maximum of 60 s > 0, 1 of 1, missing: notBreaching',
};

const FAILURE_QUEUE = {
  'failure-queue':
    'AWS/SQS ApproximateNumberOfMessagesVisible of QueueName {referencetoShopOrdersFailureQueueQueueName}: Maximum of 60 s > 0, 1 of 1, missing: notBreaching',
};

const REFUSED = {
  'failure-destination-refused':
    'AWS/Lambda OnFailureDestinationDeliveryErrorCount of EventSourceMappingUUID {referencetoShopOrdersEventSourceordersRef}: Sum of 60 s > 0, 1 of 1, missing: ignore',
};

const RELAY = {
  'relay-stopped': 'Lockstep LedgerChecks of service Orders, stack Shop: Sum of 60 s < 1, 10 of 10, missing: breaching',
  'letters-waiting':
    'Lockstep RelayEntriesWaiting of service Orders, stack Shop: Sum of 900 s > 0, 2 of 2, missing: notBreaching',
};

const EVERYTHING = {
  operations: true,
  retry: { onExhausted: 'park' },
  onFailureDestination: { retryAttempts: 100 },
} as const;

describe('the alarms of a consumer', () => {
  test('watch records, function, mapping, lag, and the relay, which watches the queues', () => {
    expect(rules(synthAlarms({ operations: true }))).toEqual({ ...RECORDS, ...RELAY, ...ERRORS, ...MAPPING, ...LAG });
  });

  test('watch the queues where no relay does', () => {
    expect(rules(synthAlarms({ onFailureDestination: { retryAttempts: 100 } }))).toEqual({
      ...RECORDS,
      ...QUEUE,
      ...FAILURE_QUEUE,
      ...ERRORS,
      ...MAPPING,
      ...REFUSED,
      ...LAG,
    });
  });

  test('are twelve at most, with parked keys and a failure queue', () => {
    const all = rules(synthAlarms(EVERYTHING));
    expect(all).toEqual({
      ...RECORDS,
      'parked-key':
        'Lockstep ParkedAgeMs of service Orders, stack Shop: Maximum of 60 s > 14400000, 1 of 1, missing: notBreaching',
      ...RELAY,
      ...ERRORS,
      ...MAPPING,
      ...REFUSED,
      ...LAG,
    });
    expect(Object.keys(all)).toHaveLength(12);
  });

  test('expect errors of a function that throws to be given a batch again, but not for ever', () => {
    expect(rules(synthAlarms({ mode: 'on-demand' }))).toEqual({
      ...RECORDS,
      ...QUEUE,
      'function-errors':
        'AWS/Lambda Errors of FunctionName {referencetoShopOrdersHandlerFunctionRef}: Sum of 60 s > 0, 15 of 15, missing: notBreaching',
      ...LAG,
    });
  });

  test.each([
    [
      'provisioned',
      'AWS/Lambda MaxOffsetLag of EventSourceMappingUUID {referencetoShopOrdersEventSourceordersRef}: Maximum of 60 s > 10000, 15 of 15, missing: notBreaching',
    ],
    [
      'on-demand',
      'AWS/Lambda OffsetLag of FunctionName {referencetoShopOrdersHandlerFunctionRef}: Maximum of 60 s > 10000, 15 of 15, missing: notBreaching',
    ],
  ] as const)(
    'watch the lag in records, in %s mode, where the brokers’ metrics are in another account',
    (mode, rule) => {
      const vpcConnectionArn = 'arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/main/conn-9';
      const watched = rules(synthAlarms({ mode, cluster: { ...CLUSTER, vpcConnectionArn } }));
      expect(watched).toMatchObject({ 'lag-records': rule });
      expect(watched).not.toHaveProperty('lag-time');
    },
  );

  test('take their limits from options', () => {
    const limits = {
      deadLetters: 3,
      blockedFor: Duration.minutes(1),
      parkedFor: Duration.minutes(3),
      lagTime: Duration.minutes(2),
    };
    expect(rules(synthAlarms({ ...EVERYTHING, alarms: limits }))).toMatchObject({
      'dead-letters': expect.stringContaining('> 3,'),
      'blocked-record': expect.stringContaining('> 60000,'),
      'parked-key': expect.stringContaining('> 180000,'),
      'lag-time': expect.stringContaining('> 120,'),
    });
    const vpcConnectionArn = 'arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/main/conn-9';
    const elsewhere = { cluster: { ...CLUSTER, vpcConnectionArn }, alarms: { lagRecords: 7 } };
    expect(rules(synthAlarms(elsewhere))).toMatchObject({ 'lag-records': expect.stringContaining('> 7,') });
  });

  test('of two stacks of an account, with consumers of one name, watch different metrics', () => {
    const [dev, prod] = ['Dev', 'Prod'].map((name) => {
      const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), name);
      const [first] = new LockstepConsumer(stack, 'Orders', LEAST).alarms.all;
      return alarms(Template.fromStack(Stack.of(first?.alarm ?? stack)))
        .filter(({ Namespace }) => Namespace === 'Lockstep')
        .map(({ MetricName, Dimensions }) => JSON.stringify([MetricName, Dimensions]));
    });
    expect(dev?.length).toBeGreaterThan(0);
    expect(prod?.filter((metric) => dev?.includes(metric))).toEqual([]);
  });

  test('use no metric math, which an emulator could not evaluate', () => {
    for (const alarm of alarms(synthAlarms(EVERYTHING))) expect(alarm).not.toHaveProperty('Metrics');
  });

  test('go to the topic of their severity, when they begin and when they end, and their message begins with it', () => {
    const topics = (stack: Stack) => ({
      page: new AlarmTopic(stack, 'Page'),
      ticket: new AlarmTopic(stack, 'Ticket'),
    });
    const withoutRelay = { operations: false, onFailureDestination: { retryAttempts: 100 } };
    const all = [synthAlarms(EVERYTHING, topics), synthAlarms(withoutRelay, topics)].flatMap(alarms);
    const targets = all.map(({ AlarmName, AlarmDescription, AlarmActions, OKActions }) => {
      expect(OKActions).toEqual(AlarmActions);
      const topic = /(Page|Ticket)/.exec(JSON.stringify(AlarmActions))?.[0];
      expect(textOf(AlarmDescription)).toMatch(topic === 'Page' ? /^\[page\] / : /^\[ticket\] /);
      return [AlarmName.replace('Shop-Orders-', ''), topic];
    });
    const of = (severity: string) =>
      [...new Set(targets.flatMap(([name, topic]) => (topic === severity ? name : [])))].sort();
    expect(of('Page')).toEqual([
      'blocked-record',
      'events-dropped',
      'failure-destination-refused',
      'function-errors',
      'lag-time',
      'loss-suspected',
      'partition-halted',
      'pollers-gone',
    ]);
    expect(of('Ticket')).toEqual([
      'dead-letters',
      'failure-queue',
      'fallback-queue',
      'letters-waiting',
      'parked-key',
      'relay-stopped',
    ]);
  });

  test('that tell of a loss say how an operator ends them; the others end by themselves', () => {
    const ends = alarms(synthAlarms(EVERYTHING)).flatMap(
      ({ AlarmDescription }) => textOf(AlarmDescription).match(/`aws cloudwatch set-alarm-state [^`]*`/g) ?? [],
    );
    expect(ends).toEqual([
      '`aws cloudwatch set-alarm-state --alarm-name "Shop-Orders-loss-suspected" --state-value OK --state-reason "..."`',
      '`aws cloudwatch set-alarm-state --alarm-name "Shop-Orders-events-dropped" --state-value OK --state-reason "..."`',
      '`aws cloudwatch set-alarm-state --alarm-name "Shop-Orders-failure-destination-refused" --state-value OK --state-reason "..."`',
    ]);
  });

  test('are in the stack itself on the local cloud, which has no nested stacks', () => {
    const cluster = { clusterArn: CLUSTER.clusterArn, auth: 'none', topics: 'elsewhere' } as const;
    expect(alarms(synthConsumer({ cluster })).length).toBeGreaterThan(5);
  });

  test('have a topic on which no other principal may publish', () => {
    const template = synth((stack) => {
      new AlarmTopic(stack, 'Alarms', { email: 'ops@example.com' });
    });
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
      ...alarms(synthAlarms(EVERYTHING)),
      ...alarms(synthAlarms({ onFailureDestination: { retryAttempts: 100 } })),
      ...alarms(clusterTemplate()),
    ].map(({ AlarmDescription }) => RUNBOOK_LINK.exec(textOf(AlarmDescription))?.[1]);
    expect(linked).not.toContain(undefined);
    expect(headings.toSorted()).toEqual([...new Set([...linked, 'lag-records'])].toSorted());
  });

  test('may be somewhere else', () => {
    for (const { AlarmName, AlarmDescription } of alarms(
      synthAlarms({ alarms: { runbookUrl: 'https://wiki.example.com/orders' } }),
    )) {
      expect(textOf(AlarmDescription)).toMatch(
        new RegExp(` https://wiki\\.example\\.com/orders#${AlarmName.replace('Shop-Orders-', '')}$`),
      );
    }
  });

  test('every alarm of a consumer has a command in its message', () => {
    for (const { AlarmDescription } of alarms(synthAlarms(EVERYTHING)))
      expect(textOf(AlarmDescription)).toMatch(/ First: .*`(npx lockstep|aws logs tail) [^`]+`/);
  });

  test('an alarm that sends its reader to a log names that of the function which it is about', () => {
    const logs = alarms(synthAlarms(EVERYTHING)).flatMap(({ AlarmName, AlarmDescription }) =>
      [...textOf(AlarmDescription).matchAll(/`(aws logs tail [^`]*)`/g)].map(([, command]) => [AlarmName, command]),
    );
    expect(Object.fromEntries(logs)).toEqual({
      'Shop-Orders-function-errors': 'aws logs tail {referencetoShopOrdersHandlerLogsRef} --since 30m',
      'Shop-Orders-letters-waiting': 'aws logs tail {referencetoShopOrdersOperationsRelayLogsRef} --since 30m',
      'Shop-Orders-loss-suspected': 'aws logs tail {referencetoShopOrdersHandlerLogsRef} --since 1h',
      'Shop-Orders-relay-stopped': 'aws logs tail {referencetoShopOrdersOperationsRelayLogsRef} --since 30m',
    });
  });
});

const RUNBOOK_LINK =
  /^(?:\[(?:page|ticket)\] )?[^[\]]{20,}\. First: .{10,}\. https:\/\/github\.com\/lockstep\/lockstep\/blob\/main\/docs\/runbook\.md#([a-z-]+)$/;

describe('the dashboard', () => {
  interface Widget {
    readonly type: string;
    readonly y: number;
    readonly x: number;
    readonly properties: {
      readonly title?: string;
      readonly alarms?: readonly string[];
      readonly annotations?: { readonly horizontal: readonly { readonly value: number; readonly label: string }[] };
    };
  }

  /** Its only dashboard, as CloudWatch gets it; what is known only at deployment is `…`. */
  function widgetsOf(build: (stack: Stack) => void): Widget[] {
    const { DashboardBody } = only(synth(build), 'AWS::CloudWatch::Dashboard');
    return JSON.parse(textOf(DashboardBody)).widgets;
  }

  const two = (stack: Stack) => {
    new LockstepConsumer(stack, 'Orders', LEAST);
    new LockstepConsumer(stack, 'Payments', { ...LEAST, topic: 'payments' });
  };

  test('is one for the consumers of a stack: whether anything is stuck, lost or late, a comparison, errors, each consumer', () => {
    const rows = Map.groupBy(widgetsOf(two), ({ y }) => y);
    const titles = [...rows.values()].map((row) => row.flatMap(({ properties }) => properties.title ?? []));
    expect(titles.filter((row) => row.length > 0)).toEqual([
      ['Is anything stuck?', 'Is anything lost or given up on?', 'Is anything late?'],
      ['Age of blocked records (s)', 'Unread records', 'Dead letters'],
      ['The newest errors'],
      ['Orders: records', 'Orders: how late (s)', 'Orders: unread records, pollers'],
      ['Orders: durations (s)', 'Orders: out of the ordinary'],
      ['Payments: records', 'Payments: how late (s)', 'Payments: unread records, pollers'],
      ['Payments: durations (s)', 'Payments: out of the ordinary'],
    ]);
  });

  /** The alarms of each question. */
  function answersOf(props: Partial<LockstepConsumerProps>): Record<string, string[]> {
    const widgets = widgetsOf((stack) => void new LockstepConsumer(stack, 'Orders', { ...LEAST, ...props }));
    return Object.fromEntries(
      widgets.flatMap(({ properties: { alarms: arns, title } }) =>
        arns === undefined ? [] : [[title, arns.map((arn) => arn.replace(/.*:alarm:Shop-Orders-/, ''))]],
      ),
    );
  }

  test('has every alarm in its first row once, by its question', () => {
    expect(answersOf(EVERYTHING)).toEqual({
      'Is anything stuck?': [
        'blocked-record',
        'partition-halted',
        'parked-key',
        'relay-stopped',
        'function-errors',
        'pollers-gone',
      ],
      'Is anything lost or given up on?': [
        'loss-suspected',
        'dead-letters',
        'letters-waiting',
        'events-dropped',
        'failure-destination-refused',
      ],
      'Is anything late?': ['lag-time'],
    });
    expect(answersOf({ operations: false, onFailureDestination: { retryAttempts: 100 } })).toMatchObject({
      'Is anything lost or given up on?': [
        'loss-suspected',
        'dead-letters',
        'fallback-queue',
        'failure-queue',
        'events-dropped',
        'failure-destination-refused',
      ],
    });
  });

  test('draws the limits of alarms, in the unit of the graph', () => {
    const lines = widgetsOf((stack) => void new LockstepConsumer(stack, 'Orders', LEAST)).flatMap(({ properties }) =>
      properties.annotations === undefined ? [] : [[properties.title, properties.annotations.horizontal]],
    );
    expect(Object.fromEntries(lines)).toEqual({
      'Orders: how late (s)': [
        expect.objectContaining({ value: 900, label: 'blocked-record' }),
        expect.objectContaining({ value: 900, label: 'lag-time' }),
      ],
      'Orders: durations (s)': [expect.objectContaining({ value: 60, label: 'timeout' })],
    });
  });

  test('keeps CloudWatch’s limits with 50 consumers', () => {
    const widgets = widgetsOf((stack) => {
      for (let index = 0; index < 50; index++)
        new LockstepConsumer(stack, `C${index}`, { ...LEAST, topic: `topic-${index}` });
    });
    const alarmed = widgets.flatMap(({ properties }) => properties.alarms?.length ?? []);
    expect(Math.max(...alarmed)).toBe(100);
    expect(alarmed.reduce((sum, one) => sum + one, 0)).toBe(450);
    expect(widgets.length).toBeLessThan(500);
  });

  test('can be left out', () => {
    synthConsumer({ dashboard: false }).resourceCountIs('AWS::CloudWatch::Dashboard', 0);
  });
});

describe('a stack whose alarms notify nobody', () => {
  function warnings(alarmsOf: (stack: Stack) => AlarmOptions): string[] {
    const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Shop');
    const alarms = alarmsOf(stack);
    for (const name of ['Orders', 'Payments']) new LockstepConsumer(stack, name, { ...LEAST, topic: name, alarms });
    return Annotations.fromStack(stack)
      .findWarning('*', Match.stringLikeRegexp('notify nobody'))
      .map(({ entry }) => String(entry.data));
  }

  test('warns once at synth, with what to do', () => {
    expect(warnings(() => ({}))).toEqual([
      expect.stringContaining('alarms of this stack’s consumers notify nobody. Set `alarms: { page, ticket }`'),
    ]);
  });

  test('does not warn once one topic is there', () => {
    expect(warnings((stack) => ({ page: new AlarmTopic(stack, 'Page') }))).toEqual([]);
  });
});
