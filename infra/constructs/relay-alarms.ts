import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type AlarmDefinition, ourMetric, queueMetric, type Watched } from './alarm-definition.ts';

/**
 * Alarms about the relay. What waits in the queues is counted by the relay itself: SQS's age of the oldest message leaves out
 * messages that were received three times.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
export function relayAlarms(watched: Watched, relayLogGroupName: string): AlarmDefinition[] {
  const readLog = `\`aws logs tail ${relayLogGroupName} --since 30m\``;
  return [
    {
      name: 'relay-stopped',
      severity: 'ticket',
      question: 'stuck',
      metric: ourMetric(watched, 'LedgerChecks', 'Sum'),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: 10,
      // A relay that is never invoked prints nothing.
      missing: TreatMissingData.BREACHING,
      means:
        'The relay has not checked the ledger for ten minutes: ages of blocked records are not measured between batches, and dead letters wait in the queues.',
      firstStep: `read why with ${readLog}. No lines at all: its schedule is off, or Lambda refuses to invoke it.`,
    },
    {
      name: 'letters-waiting',
      severity: 'ticket',
      question: 'lost',
      metric: ourMetric(watched, 'RelayEntriesWaiting', 'Sum', Duration.minutes(15)),
      threshold: 0,
      // The relay tries a message at least every 15 minutes.
      periods: 2,
      means:
        'Messages of the fallback queue or the failure queue cannot be moved to the dead-letter topic, although the relay tries again and again.',
      firstStep: `see for each message why with ${readLog}. SQS keeps messages for 14 days.`,
    },
  ];
}

/** Without a relay a person empties the queues. */
export function queueAlarms({ fallbackQueueName, failureQueueName, commandTarget }: Watched): AlarmDefinition[] {
  const firstStep = `see how many with \`npx lockstep status ${commandTarget}\`, and empty the queue within 14 days: this consumer has no relay.`;
  return [
    {
      name: 'fallback-queue',
      severity: 'ticket',
      question: 'lost',
      metric: queueMetric(fallbackQueueName),
      threshold: 0,
      means:
        'Dead letters that the dead-letter topic refused, or offsets that Lambda lost, wait in the fallback queue.',
      firstStep,
    },
    ...(failureQueueName === undefined
      ? []
      : [
          {
            name: 'failure-queue',
            severity: 'ticket',
            question: 'lost',
            metric: queueMetric(failureQueueName),
            threshold: 0,
            means:
              'Lambda gave up on records that the function never got: too large, or not decodable with the schema registry.',
            firstStep,
          } as const,
        ]),
  ];
}
