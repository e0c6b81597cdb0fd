import { AlarmStatusWidget, Dashboard, GraphWidget, type IWidget, type Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import {
  type AlarmDefinition,
  functionMetric,
  groupMetric,
  mappingMetric,
  ourMetric,
  queueMetric,
} from './alarm-definition.ts';
import type { LockstepConsumer } from './lockstep-consumer.ts';

/** The three questions of the first row. */
const QUESTIONS: readonly (readonly [AlarmDefinition['question'], string])[] = [
  ['stuck', 'Is anything stuck?'],
  ['lost', 'Is anything lost or given up on?'],
  ['late', 'Is anything late?'],
];

/** The whole width in CloudWatch's grid. */
const ROW = 24;

/** Properties of {@link ConsumersDashboard}. */
export interface ConsumersDashboardProps {
  readonly consumers: readonly LockstepConsumer[];
  /** @default a generated name */
  readonly dashboardName?: string;
}

/** One dashboard for several consumers: alarms by question in the first row, then a row of graphs for each consumer. */
export class ConsumersDashboard extends Construct {
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, { consumers, dashboardName }: ConsumersDashboardProps) {
    super(scope, id);
    this.dashboard = new Dashboard(this, 'Dashboard', {
      ...(dashboardName !== undefined && { dashboardName }),
      widgets: [QUESTIONS.map(([question, title]) => answers(consumers, question, title)), ...consumers.map(graphs)],
    });
  }
}

function answers(
  consumers: readonly LockstepConsumer[],
  question: AlarmDefinition['question'],
  title: string,
): IWidget {
  const alarms = consumers.flatMap(({ alarms: { all } }) =>
    all.filter(({ definition }) => definition.question === question),
  );
  return new AlarmStatusWidget({
    title,
    alarms: alarms.map(({ alarm }) => alarm),
    width: ROW / QUESTIONS.length,
    height: 6,
  });
}

function graphs({ alarms: { watched } }: LockstepConsumer): IWidget[] {
  const { consumerName } = watched;
  return [
    graph(`${consumerName}: records`, [
      ourMetric(watched, 'RecordsHandled', 'Sum'),
      ourMetric(watched, 'RecordsDuplicate', 'Sum'),
      ourMetric(watched, 'RecordsDeadLettered', 'Sum'),
      ourMetric(watched, 'AttemptsFailed', 'Sum'),
      ourMetric(watched, 'Interruptions', 'Sum'),
    ]),
    graph(`${consumerName}: age of blocked records (ms)`, [ourMetric(watched, 'BlockedRecordAgeMs', 'Maximum')]),
    graph(`${consumerName}: lag`, [
      mappingMetric(watched, 'MaxOffsetLag', 'Maximum'),
      ...(watched.clusterIsOurs ? [groupMetric(watched, 'EstimatedMaxTimeLag')] : []),
    ]),
    graph(`${consumerName}: out of the ordinary`, [
      queueMetric(watched.fallbackQueueName),
      mappingMetric(watched, 'DroppedEventCount', 'Sum'),
      functionMetric(watched, 'Errors', 'Sum'),
      functionMetric(watched, 'Throttles', 'Sum'),
      ourMetric(watched, 'FencedCommits', 'Sum'),
    ]),
  ];
}

function graph(title: string, left: Metric[]): IWidget {
  return new GraphWidget({ title, left, width: 6, height: 6 });
}
