import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { DeployedConsumer } from './consumer.ts';
import type { Target } from './target.ts';

/** An alarm of a consumer, as CloudWatch sees it. */
export interface AlarmState {
  /** As in the runbook: `blocked-record`. */
  readonly name: string;
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
  /** Milliseconds since 1970: when it took this state. */
  readonly since?: number;
  /** Somebody has switched its actions off. */
  readonly isSilenced?: true;
}

/** Reads the states of a consumer's alarms. */
export async function alarmStates(
  { cloudwatch }: Pick<Target, 'cloudwatch'>,
  { alarmPrefix }: DeployedConsumer,
): Promise<readonly AlarmState[]> {
  if (alarmPrefix === undefined) return [];
  // More than the twelve that a consumer has fit into one answer.
  const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: alarmPrefix }));
  return MetricAlarms.map(
    ({ AlarmName = '', StateValue: state = 'INSUFFICIENT_DATA', StateTransitionedTimestamp: at, ActionsEnabled }) => ({
      name: AlarmName.slice(alarmPrefix.length),
      state,
      ...(at && { since: at.getTime() }),
      ...(ActionsEnabled === false && { isSilenced: true as const }),
    }),
  );
}
