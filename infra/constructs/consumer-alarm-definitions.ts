import type { AlarmDefinition, Watched } from './alarm-definition.ts';
import type { AlarmOptions } from './alarm-options.ts';
import { functionAlarms } from './function-alarms.ts';
import { lagAlarm, mappingAlarms } from './mapping-alarms.ts';
import { parkedKeyAlarms, recordAlarms } from './record-alarms.ts';
import { queueAlarms, relayAlarms } from './relay-alarms.ts';

/**
 * Every alarm that fits this consumer, at most twelve; each has an entry of its name in docs/runbook.md. What only explains
 * another alarm is on the dashboard. Nothing rings for what the design bears: one crash, one fenced commit, one retry.
 */
export function consumerAlarmDefinitions(watched: Watched, options: AlarmOptions = {}): AlarmDefinition[] {
  return [
    ...recordAlarms(watched, options),
    ...(watched.parks ? parkedKeyAlarms(watched, options) : []),
    ...(watched.relayLogGroupName === undefined
      ? queueAlarms(watched)
      : relayAlarms(watched, watched.relayLogGroupName)),
    ...functionAlarms(watched),
    ...(watched.provisioned ? mappingAlarms(watched) : []),
    lagAlarm(watched, options),
  ];
}
