import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import type { AlarmDefinition, Watched } from './alarm-definition.ts';
import { type AlarmOptions, DEFAULT_RUNBOOK_URL } from './alarm-options.ts';
import { consumerAlarmDefinitions } from './consumer-alarm-definitions.ts';

/** An alarm and what it was made from. */
export interface DefinedAlarm {
  readonly definition: AlarmDefinition;
  readonly alarm: Alarm;
}

/** The alarms of one consumer, named `<stack>-<consumer>-<alarm>`, all to one optional topic. */
export class ConsumerAlarms extends Construct {
  readonly all: readonly DefinedAlarm[];
  readonly watched: Watched;

  constructor(scope: Construct, id: string, watched: Watched, options: AlarmOptions = {}) {
    super(scope, id);
    this.watched = watched;
    this.all = consumerAlarmDefinitions(watched, options).map((definition) => ({
      definition,
      alarm: this.alarm(definition, options),
    }));
  }

  private alarm(definition: AlarmDefinition, { topic, runbookUrl = DEFAULT_RUNBOOK_URL }: AlarmOptions): Alarm {
    const { name, means, firstStep, periods = 1 } = definition;
    const alarm = new Alarm(this, name, {
      alarmName: `${this.watched.stackName}-${this.watched.consumerName}-${name}`,
      alarmDescription: `${means} First: ${firstStep} ${runbookUrl}#${name}`,
      metric: definition.metric,
      threshold: definition.threshold,
      comparisonOperator: definition.comparison ?? ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods,
      datapointsToAlarm: definition.datapoints ?? periods,
      treatMissingData: definition.missing ?? TreatMissingData.NOT_BREACHING,
    });
    if (topic) {
      alarm.addAlarmAction(new SnsAction(topic));
      alarm.addOkAction(new SnsAction(topic));
    }
    return alarm;
  }
}
