import { Duration, Lazy, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmStatusWidget,
  CfnDashboard,
  Column,
  GraphWidget,
  type GraphWidgetProps,
  type IAlarm,
  type IMetric,
  type IWidget,
  LogQueryWidget,
  MathExpression,
  type Metric,
  Row,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import {
  type AlarmDefinition,
  functionMetric,
  groupMetric,
  mappingMetric,
  ourMetric,
  queueMetric,
} from './alarm-definition.ts';
import { alarmName } from './consumer-alarms.ts';
import type { LockstepConsumer } from './lockstep-consumer.ts';

/** The three questions of the first row. */
const QUESTIONS: readonly (readonly [AlarmDefinition['question'], string])[] = [
  ['stuck', 'Is anything stuck?'],
  ['lost', 'Is anything lost or given up on?'],
  ['late', 'Is anything late?'],
];

/** The whole width in CloudWatch's grid. */
const ROW = 24;

/** CloudWatch's limits of a widget. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html */
const [ALARMS_OF_A_WIDGET, LOG_GROUPS_OF_A_QUERY] = [100, 50];

/** Properties of {@link ConsumersDashboard}. */
export interface ConsumersDashboardProps {
  readonly consumers?: readonly LockstepConsumer[];
  /** @default a generated name */
  readonly dashboardName?: string;
}

interface Shown {
  readonly consumer: LockstepConsumer;
  readonly alarms: readonly { readonly question: AlarmDefinition['question']; readonly alarm: IAlarm }[];
}

/**
 * One dashboard for several consumers. Its first row answers from the alarms whether anything is stuck, lost or late. The second
 * compares the consumers. Then come the newest errors, and a row of graphs for each consumer.
 */
export class ConsumersDashboard extends Construct {
  readonly dashboard: CfnDashboard;
  readonly #shown: Shown[] = [];

  constructor(scope: Construct, id: string, { consumers = [], dashboardName }: ConsumersDashboardProps = {}) {
    super(scope, id);
    this.dashboard = new CfnDashboard(this, 'Dashboard', {
      ...(dashboardName !== undefined && { dashboardName }),
      dashboardBody: Lazy.string({ produce: () => Stack.of(this).toJsonString({ widgets: this.widgets() }) }),
    });
    for (const consumer of consumers) this.add(consumer);
  }

  /** Adds a consumer. */
  add(consumer: LockstepConsumer): void {
    const { all, watched } = consumer.alarms;
    // By their names: a reference to each alarm in its nested stack would need an output of its own.
    const alarms = all.map(({ definition }) => {
      const name = alarmName(watched, definition);
      return { question: definition.question, alarm: Alarm.fromAlarmName(this, `${consumer.node.addr}-${name}`, name) };
    });
    this.#shown.push({ consumer, alarms });
  }

  private widgets(): unknown[] {
    const consumers = this.#shown.map(({ consumer }) => consumer);
    const rows = new Column(
      new Row(...QUESTIONS.map(([question, title]) => this.answers(question, title))),
      new Row(...comparisons(consumers)),
      newestErrors(consumers),
      ...consumers.map((consumer) => new Column(heading(consumer), new Row(...graphs(consumer)))),
    );
    rows.position(0, 0);
    return rows.toJson();
  }

  private answers(question: AlarmDefinition['question'], title: string): IWidget {
    const alarms = this.#shown.flatMap((one) =>
      one.alarms.flatMap((shown) => (shown.question === question ? shown.alarm : [])),
    );
    const widgets = Array.from({ length: Math.ceil(alarms.length / ALARMS_OF_A_WIDGET) }, (_, index) => {
      const start = index * ALARMS_OF_A_WIDGET;
      const part = alarms.slice(start, start + ALARMS_OF_A_WIDGET);
      return new AlarmStatusWidget({ title, alarms: part, width: ROW / QUESTIONS.length, height: 6 });
    });
    return new Column(...widgets);
  }
}

/** The dashboard that the consumers of a stack share by default. */
export function stackDashboard(scope: Construct): ConsumersDashboard {
  const stack = Stack.of(scope);
  const existing = stack.node.tryFindChild('LockstepDashboard');
  return existing instanceof ConsumersDashboard ? existing : new ConsumersDashboard(stack, 'LockstepDashboard');
}

/** One line for each consumer. */
function comparisons(consumers: readonly LockstepConsumer[]): IWidget[] {
  const lines = (metric: (consumer: LockstepConsumer) => IMetric) => consumers.map((one) => metric(one));
  return [
    graph('Age of blocked records (s)', {
      left: lines(({ node, alarms: { watched } }) =>
        seconds(ourMetric(watched, 'BlockedRecordAgeMs', 'Maximum'), watched.consumerName, node.addr),
      ),
      width: 8,
    }),
    graph('Unread records', {
      left: lines((one) => unread(one).with({ label: one.alarms.watched.consumerName })),
      width: 8,
    }),
    graph('Dead letters', {
      left: lines(({ alarms: { watched } }) =>
        ourMetric(watched, 'RecordsDeadLettered', 'Sum', Duration.minutes(5)).with({ label: watched.consumerName }),
      ),
      width: 8,
    }),
  ];
}

function heading({ alarms: { watched } }: LockstepConsumer): IWidget {
  const { consumerName, consumerGroup, topic, commandTarget } = watched;
  const markdown = `## ${consumerName}\ntopic \`${topic}\`, group \`${consumerGroup}\`: \`npx lockstep status ${commandTarget}\``;
  return new TextWidget({ markdown, width: ROW, height: 2 });
}

function graphs(consumer: LockstepConsumer): IWidget[] {
  const { watched } = consumer.alarms;
  const { consumerName: name, timeoutSeconds } = watched;
  const counts = (...metrics: Parameters<typeof ourMetric>[1][]) =>
    metrics.map((metric) => ourMetric(watched, metric, 'Sum'));
  const mapped = (metric: string) => (watched.provisioned ? [mappingMetric(watched, metric, 'Sum')] : []);
  return [
    graph(`${name}: records`, {
      left: counts('RecordsHandled', 'RecordsDuplicate', 'RecordsDeadLettered', 'AttemptsFailed', 'Interruptions'),
    }),
    graph(`${name}: how late (s)`, {
      left: [
        seconds(ourMetric(watched, 'BlockedRecordAgeMs', 'Maximum'), 'oldest blocked record', 'blocked'),
        ...(watched.clusterIsOurs
          ? [groupMetric(watched, 'EstimatedMaxTimeLag').with({ label: 'oldest unread record' })]
          : []),
      ],
      leftAnnotations: [...threshold(consumer, 'blocked-record', 1 / 1000), ...threshold(consumer, 'lag-time', 1)],
    }),
    graph(`${name}: unread records, pollers`, {
      left: [unread(consumer)],
      leftAnnotations: threshold(consumer, 'lag-records', 1),
      right: watched.provisioned ? [mappingMetric(watched, 'ProvisionedPollers', 'Maximum')] : [],
    }),
    graph(`${name}: durations (s)`, {
      left: [
        seconds(functionMetric(watched, 'Duration', 'Maximum'), 'invocation', 'invocation'),
        seconds(ourMetric(watched, 'HandlerMs', 'Maximum'), 'handler', 'handler'),
      ],
      leftAnnotations: [{ value: timeoutSeconds, label: 'timeout' }],
    }),
    graph(`${name}: out of the ordinary`, {
      left: [
        functionMetric(watched, 'Errors', 'Sum'),
        functionMetric(watched, 'Throttles', 'Sum'),
        ...['DroppedEventCount', 'PollingErrorCount', 'CommitErrorCount', 'SchemaRegistryErrorCount'].flatMap(mapped),
        ...counts('PartitionsHalted', 'FencedCommits', 'RelayEntriesWaiting'),
        queueMetric(watched.fallbackQueueName),
      ],
    }),
  ];
}

/** The mapping tells it in provisioned mode, else the broker or, in another account, the function. */
function unread({ alarms: { watched } }: LockstepConsumer): Metric {
  if (watched.provisioned) return mappingMetric(watched, 'MaxOffsetLag', 'Maximum');
  return watched.clusterIsOurs ? groupMetric(watched, 'MaxOffsetLag') : functionMetric(watched, 'OffsetLag', 'Maximum');
}

/** Milliseconds as seconds. @param id - unique in its graph */
function seconds(metric: Metric, label: string, id: string): MathExpression {
  const usingMetrics = { [`ms_${id}`]: metric };
  return new MathExpression({ expression: `ms_${id} / 1000`, usingMetrics, label, period: metric.period });
}

/** The limit of an alarm, if the consumer has it, as a line. */
function threshold({ alarms: { all } }: LockstepConsumer, alarm: string, factor: number) {
  const found = all.find(({ definition }) => definition.name === alarm)?.definition;
  return found === undefined ? [] : [{ value: found.threshold * factor, label: alarm }];
}

function newestErrors(consumers: readonly LockstepConsumer[]): IWidget {
  return new LogQueryWidget({
    title: 'The newest errors',
    logGroupNames: consumers.slice(0, LOG_GROUPS_OF_A_QUERY).map(({ alarms: { watched } }) => watched.logGroupName),
    queryLines: [
      'fields @timestamp, service, message, error.message, topic, partition, offset',
      'filter level = "ERROR" or @message like /Task timed out|Runtime\\./',
      'sort @timestamp desc',
      'limit 50',
    ],
    width: ROW,
    height: 6,
  });
}

function graph(title: string, props: GraphWidgetProps): IWidget {
  return new GraphWidget({ title, width: 8, height: 6, ...props });
}
