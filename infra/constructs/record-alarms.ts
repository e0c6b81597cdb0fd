import { Duration } from 'aws-cdk-lib';
import { type AlarmDefinition, ourMetric, type Watched } from './alarm-definition.ts';
import type { AlarmOptions } from './alarm-options.ts';

/** Alarms about records and their partitions, from the function's metrics. */
export function blockedRecordAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  const { topic, commandTarget } = watched;
  const reset = `npx lockstep reset ${topic}-<partition> ${commandTarget}`;
  return [
    {
      name: 'dead-letters',
      question: 'lost',
      metric: ourMetric(watched, 'RecordsDeadLettered', 'Sum'),
      threshold: options.deadLetters ?? 0,
      means: 'Records were dead-lettered.',
      firstStep: `see the causes with \`npx lockstep dead-letters groups ${commandTarget}\`, correct them, then redrive.`,
    },
    {
      name: 'blocked-record',
      question: 'stuck',
      metric: ourMetric(watched, 'BlockedRecordAgeMs', 'Maximum'),
      threshold: (options.blockedFor ?? Duration.minutes(15)).toMilliseconds(),
      means: 'A record has blocked its partition, or its key, for too long. Later records wait.',
      firstStep: `see the record and its last error with \`npx lockstep blocked ${commandTarget}\`.`,
    },
    {
      name: 'records-not-redelivered',
      question: 'lost',
      metric: ourMetric(watched, 'RecordsNotRedelivered', 'Sum'),
      threshold: 0,
      means:
        'Lambda did not deliver records again that were reported as failed. They were queued for the relay, and the partition went on.',
      firstStep: `find the offsets in the log, and their dead letters with \`npx lockstep dead-letters list ${commandTarget} --error RECORD_ABANDONED\`.`,
    },
    {
      name: 'replay-halted',
      question: 'stuck',
      metric: ourMetric(watched, 'ReplayHalted', 'Sum'),
      threshold: 0,
      means:
        'Lambda delivered offsets that the ledger has forgotten, perhaps after an offset reset. The partition is halted until an operator decides.',
      firstStep: `find out who reset the offsets. Then skip the records with \`${reset} --skip --why "..."\`, or run them again with \`${reset} --run --why "..."\`. The log names the partition.`,
    },
    {
      name: 'flood-breaker',
      question: 'stuck',
      metric: ourMetric(watched, 'FloodBreakerOpen', 'Sum'),
      threshold: 0,
      means:
        'The flood breaker is open: after too many consecutive dead letters, exhausted records block their partition instead.',
      firstStep: `roll back the last deployment, or correct what all these records depend on. Only then close the breaker with \`${reset} --breaker --why "..."\`.`,
    },
    {
      name: 'partition-full',
      question: 'stuck',
      metric: ourMetric(watched, 'PartitionsFull', 'Sum'),
      threshold: 0,
      periods: 5,
      datapoints: 3,
      means: 'So many records of a partition are blocked that its ledger item is full. No new record starts.',
      firstStep: `see the blocked records with \`npx lockstep blocked ${commandTarget}\` and correct why they fail.`,
    },
  ];
}

/** Alarms about parked keys. The relay tells their age every minute, also when no batch comes. */
export function parkedKeyAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  const { commandTarget } = watched;
  return [
    {
      name: 'parked-key',
      question: 'stuck',
      metric: ourMetric(watched, 'ParkedAgeMs', 'Maximum'),
      threshold: (options.parkedFor ?? Duration.hours(4)).toMilliseconds(),
      means: 'A key has been parked for too long. Its records wait on the dead-letter topic, in order.',
      firstStep: `see the keys and their last error with \`npx lockstep parked ${commandTarget}\`, correct the cause, then \`npx lockstep release ${commandTarget} --all\`.`,
    },
    {
      name: 'parked-keys-full',
      question: 'stuck',
      metric: ourMetric(watched, 'ParkedKeysFull', 'Sum'),
      threshold: 0,
      means:
        'No more records can be parked: too many wait in a key, or too many keys are parked. The next record blocks its key.',
      firstStep: `see the keys with \`npx lockstep parked ${commandTarget}\`. Correct the cause and release them, or raise \`retry.maxParkedPerKey\` or \`retry.maxParkedKeys\`.`,
    },
  ];
}

/** Alarms about the ledger. */
export function ledgerAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  return [
    {
      name: 'fenced-commits',
      question: 'late',
      metric: ourMetric(watched, 'FencedCommits', 'Sum', Duration.minutes(5)),
      threshold: options.fencedCommits ?? 5,
      means:
        'Invocations often lose their partitions to other invocations before they commit, so records are handled again.',
      firstStep: 'check that handlers stop when context.signal fires, and that no second mapping uses the group.',
    },
    {
      name: 'ledger-unavailable',
      question: 'stuck',
      metric: ourMetric(watched, 'LedgerUnavailable', 'Sum'),
      threshold: 0,
      periods: 5,
      datapoints: 3,
      means: 'The function cannot reach its ledger table, so it starts no record.',
      firstStep: 'check the DynamoDB gateway endpoint of the subnets, the table and the role.',
    },
    {
      name: 'topic-recreated',
      question: 'lost',
      metric: ourMetric(watched, 'TopicsRecreated', 'Sum'),
      threshold: 0,
      means: 'A topic was deleted and created again. Its progress in the ledger started from nothing.',
      firstStep: 'check that somebody recreated it on purpose.',
    },
  ];
}
