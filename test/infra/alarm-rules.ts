import type { Template } from 'aws-cdk-lib/assertions';
import { textOf } from './template-text.ts';

export interface AlarmProperties {
  readonly AlarmName: string;
  /** A text, or the parts of one. */
  readonly AlarmDescription: unknown;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Statistic: string;
  /** Seconds. */
  readonly Period: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly EvaluationPeriods: number;
  /** @default all of `EvaluationPeriods` */
  readonly DatapointsToAlarm?: number;
  readonly TreatMissingData: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly AlarmActions?: readonly unknown[];
  readonly OKActions?: readonly unknown[];
}

/** The alarms of a template. */
export function alarms(template: Template): AlarmProperties[] {
  return Object.values(template.findResources('AWS::CloudWatch::Alarm')).map((alarm) => alarm['Properties']);
}

/**
 * By name, without the stack's and the consumer's:
 * `<metric> of <dimensions>: <statistic> of <seconds> s <operator> <threshold>, <datapoints> of <periods>, missing: <…>`.
 */
export function alarmRules(template: Template): Record<string, string> {
  const sign: Record<string, string> = { GreaterThanThreshold: '>', LessThanThreshold: '<' };
  return Object.fromEntries(
    alarms(template).map((alarm) => [
      alarm.AlarmName.replace(/^(Shop-Orders|Lockstep-Kafka-cluster)-/, ''),
      `${alarm.Namespace} ${alarm.MetricName} of ${alarm.Dimensions.map(({ Name, Value }) => `${Name} ${textOf(Value)}`).join(', ')}: ` +
        `${alarm.Statistic} of ${alarm.Period} s ${sign[alarm.ComparisonOperator]} ${alarm.Threshold}, ` +
        `${alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods} of ${alarm.EvaluationPeriods}, missing: ${alarm.TreatMissingData}`,
    ]),
  );
}
