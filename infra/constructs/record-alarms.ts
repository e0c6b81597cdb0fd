import { Duration } from 'aws-cdk-lib';
import { type AlarmDefinition, ourMetric, type Watched } from './alarm-definition.ts';
import type { AlarmOptions } from './alarm-options.ts';

/** Alarms about records and their partitions, from the functions' metrics. */
export function recordAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  const { commandTarget } = watched;
  return [
    {
      name: 'blocked-record',
      severity: 'page',
      question: 'stuck',
      metric: ourMetric(watched, 'BlockedRecordAgeMs', 'Maximum'),
      threshold: (options.blockedFor ?? Duration.minutes(15)).toMilliseconds(),
      means: 'A record has blocked its partition, or its key, for too long. Later records wait.',
      firstStep: `see the record and its last error with \`npx lockstep blocked ${commandTarget}\`.`,
    },
    {
      name: 'partition-halted',
      severity: 'page',
      question: 'stuck',
      metric: ourMetric(watched, 'PartitionsHalted', 'Sum'),
      threshold: 0,
      // The ledger may be out of reach for a moment.
      periods: 5,
      datapoints: 3,
      means:
        'No record of a partition starts: offsets came back that the ledger has forgotten, the flood breaker is open, there is no room for more blocked or parked records, or the ledger cannot be reached.',
      firstStep: `see which, and the commands that decide it, with \`npx lockstep status ${commandTarget}\`.`,
    },
    {
      name: 'loss-suspected',
      severity: 'page',
      question: 'lost',
      metric: ourMetric(watched, 'LossSuspected', 'Sum'),
      threshold: 0,
      latches: true,
      means:
        'Lambda did not deliver records again that were reported as failed, and the partition went on. Or a topic was deleted and created again.',
      firstStep: `find their dead letters with \`npx lockstep dead-letters list ${commandTarget} --error RECORD_ABANDONED\`, and what happened with \`aws logs tail ${watched.logGroupName} --since 1h\`.`,
    },
    {
      name: 'dead-letters',
      severity: 'ticket',
      question: 'lost',
      metric: ourMetric(watched, 'RecordsDeadLettered', 'Sum'),
      threshold: options.deadLetters ?? 0,
      means: 'Records were dead-lettered.',
      firstStep: `see the causes with \`npx lockstep dead-letters groups ${commandTarget}\`, correct them, then redrive.`,
    },
  ];
}

/** Alarms about parked keys. The relay tells their age every minute, also when no batch comes. */
export function parkedKeyAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  const { commandTarget } = watched;
  return [
    {
      name: 'parked-key',
      severity: 'ticket',
      question: 'stuck',
      metric: ourMetric(watched, 'ParkedAgeMs', 'Maximum'),
      threshold: (options.parkedFor ?? Duration.hours(4)).toMilliseconds(),
      means: 'A key has been parked for too long. Its records wait on the dead-letter topic, in order.',
      firstStep: `see the keys and their last error with \`npx lockstep parked ${commandTarget}\`, correct the cause, then \`npx lockstep release ${commandTarget} --all\`.`,
    },
  ];
}
