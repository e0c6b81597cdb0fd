import { NestedStack } from 'aws-cdk-lib';
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

/** Where the alarms of a consumer are. */
export interface ConsumerAlarmsProps {
  readonly watched: Watched;
  readonly options?: AlarmOptions | undefined;
  /** A nested stack has room for 500 resources of its own. The local cloud has no nested stacks. */
  readonly nested: boolean;
}

/** The alarms of one consumer, named `<stack>-<consumer>-<alarm>`, in a nested stack. */
export class ConsumerAlarms extends Construct {
  readonly all: readonly DefinedAlarm[];
  readonly watched: Watched;

  constructor(scope: Construct, id: string, { watched, options = {}, nested }: ConsumerAlarmsProps) {
    super(scope, id);
    this.watched = watched;
    const { stackName, consumerName } = watched;
    const description = `Alarms of ${consumerName} in ${stackName}`;
    const place = nested ? new NestedStack(this, 'Stack', { description }) : this;
    this.all = consumerAlarmDefinitions(watched, options).map((definition) => ({
      definition,
      alarm: consumerAlarm(place, alarmName(watched, definition), definition, options),
    }));
  }
}

/** The name of an alarm. */
export function alarmName(watched: Watched, { name }: AlarmDefinition): string {
  return `${alarmPrefix(watched)}${name}`;
}

/** How the names of a consumer's alarms begin. */
export function alarmPrefix({ stackName, consumerName }: Watched): string {
  return `${stackName}-${consumerName}-`;
}

function consumerAlarm(place: Construct, named: string, definition: AlarmDefinition, options: AlarmOptions): Alarm {
  const { name, severity, periods = 1, latches } = definition;
  const alarm = new Alarm(place, name, {
    alarmName: named,
    alarmDescription: description(named, definition, options),
    metric: definition.metric,
    threshold: definition.threshold,
    comparisonOperator: definition.comparison ?? ComparisonOperator.GREATER_THAN_THRESHOLD,
    evaluationPeriods: periods,
    datapointsToAlarm: definition.datapoints ?? periods,
    // A metric of a loss has no data after it: IGNORE leaves the alarm as it is.
    treatMissingData: latches ? TreatMissingData.IGNORE : (definition.missing ?? TreatMissingData.NOT_BREACHING),
  });
  const topic = options[severity];
  if (topic) {
    alarm.addAlarmAction(new SnsAction(topic));
    alarm.addOkAction(new SnsAction(topic));
  }
  return alarm;
}

function description(
  named: string,
  { name, severity, means, firstStep, latches }: AlarmDefinition,
  { runbookUrl = DEFAULT_RUNBOOK_URL }: AlarmOptions,
): string {
  const end = `\`aws cloudwatch set-alarm-state --alarm-name "${named}" --state-value OK --state-reason "..."\``;
  return `[${severity}] ${means} First: ${firstStep}${latches ? ` When you have looked, end it with ${end}.` : ''} ${runbookUrl}#${name}`;
}
