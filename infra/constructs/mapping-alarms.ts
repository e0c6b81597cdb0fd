import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type AlarmDefinition, functionMetric, groupMetric, mappingMetric, type Watched } from './alarm-definition.ts';
import type { AlarmOptions } from './alarm-options.ts';

/** Alarms about the mapping, from its own metrics. */
export function mappingAlarms(watched: Watched): AlarmDefinition[] {
  return [
    {
      name: 'events-dropped',
      severity: 'page',
      question: 'lost',
      metric: mappingMetric(watched, 'DroppedEventCount', 'Sum'),
      threshold: 0,
      latches: true,
      means: 'Lambda has dropped records that were not handled: data is lost.',
      firstStep: `stop the mapping with \`npx lockstep pause ${watched.commandTarget}\`, then find the dropped offsets in the function’s log.`,
    },
    {
      name: 'pollers-gone',
      severity: 'page',
      question: 'stuck',
      metric: mappingMetric(watched, 'ProvisionedPollers', 'Maximum'),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: 5,
      missing: TreatMissingData.BREACHING,
      means: 'No poller reads the topic: the mapping is disabled, failed or deleted.',
      firstStep: `see the state of the mapping with \`npx lockstep status ${watched.commandTarget}\`.`,
    },
    ...(watched.failureQueueName === undefined ? [] : [failureDestinationRefused(watched)]),
  ];
}

function failureDestinationRefused(watched: Watched): AlarmDefinition {
  return {
    name: 'failure-destination-refused',
    severity: 'page',
    question: 'lost',
    metric: mappingMetric(watched, 'OnFailureDestinationDeliveryErrorCount', 'Sum'),
    threshold: 0,
    latches: true,
    means: 'The failure queue refused records that Lambda gave up on. They are dropped.',
    firstStep: `stop the mapping with \`npx lockstep pause ${watched.commandTarget}\`. Check the queue’s policy and key, and sqs:SendMessage of the role.`,
  };
}

/**
 * That records are handled too late. The broker tells it in seconds, also when there is no poller. The brokers of another
 * account tell it there, self-managed ones tell CloudWatch nothing: then the mapping, or in on-demand mode the function, counts
 * records.
 */
export function lagAlarm(watched: Watched, options: AlarmOptions): AlarmDefinition {
  const { clusterIsOurs, provisioned, commandTarget } = watched;
  const records = provisioned
    ? mappingMetric(watched, 'MaxOffsetLag', 'Maximum')
    : functionMetric(watched, 'OffsetLag', 'Maximum');
  return {
    ...(clusterIsOurs
      ? {
          name: 'lag-time',
          metric: groupMetric(watched, 'EstimatedMaxTimeLag'),
          threshold: (options.lagTime ?? Duration.minutes(15)).toSeconds(),
          means: 'The oldest unread record of a partition is too old.',
        }
      : {
          name: 'lag-records',
          metric: records,
          threshold: options.lagRecords ?? 10_000,
          means: 'A partition has too many unread records.',
        }),
    severity: 'page',
    question: 'late',
    periods: 15,
    firstStep: `see with \`npx lockstep status ${commandTarget}\` whether a record is blocked or pollers are missing. If not, the handler is slower than the producers.`,
  };
}
