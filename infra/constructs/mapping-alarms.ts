import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type AlarmDefinition, groupMetric, mappingMetric, type Watched } from './alarm-definition.ts';
import type { AlarmOptions } from './alarm-options.ts';

/** Alarms about the mapping, from its own metrics. */
export function mappingAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  return [
    {
      name: 'events-dropped',
      question: 'lost',
      metric: mappingMetric(watched, 'DroppedEventCount', 'Sum'),
      threshold: 0,
      means: 'Lambda has dropped records that were not handled: data is lost.',
      firstStep: `stop the mapping with \`npx lockstep pause ${watched.commandTarget}\`, then find the dropped offsets in the function’s log.`,
    },
    {
      name: 'lag-records',
      question: 'late',
      metric: mappingMetric(watched, 'MaxOffsetLag', 'Maximum'),
      threshold: options.lagRecords ?? 10_000,
      periods: 15,
      means: 'A partition has too many unread records.',
      firstStep: `see with \`npx lockstep status ${watched.commandTarget}\` whether a record is blocked. If not, the handler is slower than the producers.`,
    },
    {
      name: 'pollers-gone',
      question: 'stuck',
      metric: mappingMetric(watched, 'ProvisionedPollers', 'Maximum'),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: 5,
      missing: TreatMissingData.BREACHING,
      means: 'No poller reads the topic: the mapping is disabled, failed or deleted.',
      firstStep: `see the state of the mapping with \`npx lockstep status ${watched.commandTarget}\`.`,
    },
    {
      name: 'polling-errors',
      question: 'stuck',
      metric: mappingMetric(watched, 'PollingErrorCount', 'Sum'),
      threshold: 0,
      periods: 5,
      datapoints: 3,
      means: 'The mapping cannot read from the brokers.',
      firstStep: 'check the security groups, the role’s kafka-cluster rights, and the brokers.',
    },
    {
      name: 'commit-errors',
      question: 'late',
      metric: mappingMetric(watched, 'CommitErrorCount', 'Sum'),
      threshold: 0,
      periods: 5,
      datapoints: 3,
      means: 'The mapping cannot commit offsets. Records will be delivered again, and settled ones are skipped.',
      firstStep: 'check kafka-cluster:AlterGroup of the role and the group coordinator.',
    },
    ...(watched.decodesValues ? [registryErrors(watched)] : []),
    ...(watched.failureQueueName === undefined ? [] : [failureDestinationRefused(watched)]),
  ];
}

function registryErrors(watched: Watched): AlarmDefinition {
  return {
    name: 'registry-errors',
    question: 'stuck',
    metric: mappingMetric(watched, 'SchemaRegistryErrorCount', 'Sum'),
    threshold: 0,
    means: 'The mapping cannot fetch schemas or decode values with them.',
    firstStep: 'check that the registry is up, that the role may read it, and that the schema exists.',
  };
}

function failureDestinationRefused(watched: Watched): AlarmDefinition {
  return {
    name: 'failure-destination-refused',
    question: 'lost',
    metric: mappingMetric(watched, 'OnFailureDestinationDeliveryErrorCount', 'Sum'),
    threshold: 0,
    means: 'The failure queue refused records that Lambda gave up on. They are dropped.',
    firstStep: 'check the queue’s policy and key and sqs:SendMessage of the role; read the offsets back from Kafka.',
  };
}

/** The broker publishes it, in seconds, so it also works when there is no poller. */
export function lagTime(watched: Watched, options: AlarmOptions): AlarmDefinition {
  return {
    name: 'lag-time',
    question: 'late',
    metric: groupMetric(watched, 'EstimatedMaxTimeLag'),
    threshold: (options.lagTime ?? Duration.minutes(15)).toSeconds(),
    periods: 15,
    means: 'The oldest unread record of a partition is too old.',
    firstStep: `see with \`npx lockstep status ${watched.commandTarget}\` whether a record is blocked or pollers are missing. If not, the handler is slower than the producers.`,
  };
}
