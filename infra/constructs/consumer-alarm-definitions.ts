import type { AlarmDefinition, Watched } from './alarm-definition.ts';
import type { AlarmOptions } from './alarm-options.ts';
import { functionAlarms, queueAlarms } from './function-alarms.ts';
import { lagTime, mappingAlarms } from './mapping-alarms.ts';
import { blockedRecordAlarms, ledgerAlarms, parkedKeyAlarms } from './record-alarms.ts';
import { relayAlarms } from './relay-alarms.ts';

/** Every alarm that fits this consumer; each has an entry of its name in docs/runbook.md. */
export function consumerAlarmDefinitions(watched: Watched, options: AlarmOptions = {}): AlarmDefinition[] {
  return [
    ...blockedRecordAlarms(watched, options),
    ...(watched.parks ? parkedKeyAlarms(watched, options) : []),
    ...ledgerAlarms(watched, options),
    ...queueAlarms(watched),
    ...relayAlarms(watched),
    ...functionAlarms(watched, options),
    ...(watched.provisioned ? mappingAlarms(watched, options) : []),
    ...(watched.clusterIsOurs ? [lagTime(watched, options)] : []),
  ];
}
