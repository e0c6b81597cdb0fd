import { Duration } from 'aws-cdk-lib';
import { type AlarmDefinition, ourMetric, type Watched } from './alarm-definition.ts';
import type { AlarmOptions } from './alarm-options.ts';

/** About records and their partitions, from what the function prints. */
export function blockedRecordAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  const { topic, commandTarget } = watched;
  const reset = `npx lockstep reset ${topic}-<partition> ${commandTarget}`;
  return [
    {
      name: 'dead-letters',
      question: 'lost',
      metric: ourMetric(watched, 'RecordsDeadLettered', 'Sum'),
      threshold: options.deadLetters ?? 0,
      means: 'Records were given up on and lie on the dead-letter topic.',
      firstStep: `see the causes with \`npx lockstep dead-letters groups ${commandTarget}\`, mend them, then redrive.`,
    },
    {
      name: 'blocked-record',
      question: 'stuck',
      metric: ourMetric(watched, 'BlockedRecordAgeMs', 'Maximum'),
      threshold: (options.blockedFor ?? Duration.minutes(15)).toMilliseconds(),
      means: 'A record has blocked its partition, or its key, for too long; what comes after it waits.',
      firstStep: `see the record and its last error with \`npx lockstep blocked ${commandTarget}\`.`,
    },
    {
      name: 'records-not-redelivered',
      question: 'lost',
      metric: ourMetric(watched, 'RecordsNotRedelivered', 'Sum'),
      threshold: 0,
      means:
        'The mapping never brought back records that it due; they went to the relay, and the partition went on without them.',
      firstStep: `find the offsets in the log, and their letters with \`npx lockstep dead-letters list ${commandTarget} --error RECORD_ABANDONED\`.`,
    },
    {
      name: 'replay-halted',
      question: 'stuck',
      metric: ourMetric(watched, 'ReplayHalted', 'Sum'),
      threshold: 0,
      means:
        'Offsets from before the ledger’s memory came back (an offset reset?), and the partition stands still until somebody decides.',
      firstStep: `find out who moved the offsets; then skip them with \`${reset} --skip --why "..."\`, or run them again with \`${reset} --run --why "..."\`. The log names the partition.`,
    },
    {
      name: 'flood-breaker',
      question: 'stuck',
      metric: ourMetric(watched, 'FloodBreakerOpen', 'Sum'),
      threshold: 0,
      means: 'So many records in a row were exhausted that the next one blocks instead of being dead-lettered.',
      firstStep: `roll back the last deployment, or mend what all the records depend on. Only then let letters out with \`${reset} --breaker --why "..."\`.`,
    },
    {
      name: 'partition-full',
      question: 'stuck',
      metric: ourMetric(watched, 'PartitionsFull', 'Sum'),
      threshold: 0,
      periods: 5,
      datapoints: 3,
      means:
        'So many records of a partition are blocked that its ledger item has no room for more; nothing new starts.',
      firstStep: `see the blocked records with \`npx lockstep blocked ${commandTarget}\` and mend what makes them fail.`,
    },
  ];
}

/** About the ledger. */
export function ledgerAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  return [
    {
      name: 'fenced-commits',
      question: 'late',
      metric: ourMetric(watched, 'FencedCommits', 'Sum', Duration.minutes(5)),
      threshold: options.fencedCommits ?? 5,
      means: 'Invocations keep losing their partitions to others before they commit; records are handled again.',
      firstStep: 'check that handlers heed context.signal and that no second mapping uses the group.',
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
      means: 'A topic was recognised as deleted and made anew; its progress started afresh.',
      firstStep: 'check that somebody recreated it on purpose.',
    },
  ];
}
