import { Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import { alarmDefinitions, type Watched } from './alarm-definitions.ts';
import { type AlarmOptions, DEFAULT_RUNBOOK_URL } from './alarm-options.ts';

/** The alarms of one consumer, named `<stack>-<consumer>-<alarm>`, all to one optional topic. */
export class ConsumerAlarms extends Construct {
  /** By name, as `dead-letters`. */
  readonly alarms: ReadonlyMap<string, Alarm>;

  constructor(scope: Construct, id: string, watched: Watched, options: AlarmOptions = {}) {
    super(scope, id);
    const runbook = options.runbookUrl ?? DEFAULT_RUNBOOK_URL;
    const action = options.topic && new SnsAction(options.topic);
    this.alarms = new Map(
      alarmDefinitions(watched, options).map((definition) => {
        const alarm = new Alarm(this, definition.name, {
          alarmName: `${Stack.of(this).stackName}-${watched.consumerName}-${definition.name}`,
          alarmDescription: `${definition.means} First: ${definition.firstStep} ${runbook}#${definition.name}`,
          metric: definition.metric,
          threshold: definition.threshold,
          comparisonOperator: definition.comparison ?? ComparisonOperator.GREATER_THAN_THRESHOLD,
          evaluationPeriods: definition.evaluationPeriods ?? 1,
          ...(definition.datapointsToAlarm !== undefined && { datapointsToAlarm: definition.datapointsToAlarm }),
          treatMissingData: definition.missing ?? TreatMissingData.NOT_BREACHING,
        });
        if (action) {
          alarm.addAlarmAction(action);
          alarm.addOkAction(action);
        }
        return [definition.name, alarm];
      }),
    );
  }
}
