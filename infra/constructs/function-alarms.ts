import { type AlarmDefinition, functionMetric, queueMetric, type Watched } from './alarm-definition.ts';
import type { AlarmOptions } from './alarm-options.ts';

/** Alarms about messages that wait in queues. */
export function queueAlarms({ fallbackQueueName, failureQueueName }: Watched): AlarmDefinition[] {
  return [
    {
      name: 'fallback-queue',
      question: 'lost',
      metric: queueMetric(fallbackQueueName),
      threshold: 0,
      means:
        'Dead letters that the dead-letter topic refused, or offsets that Lambda lost, wait in the fallback queue.',
      firstStep: 'correct the dead-letter topic. The relay then empties the queue. SQS keeps messages for 14 days.',
    },
    ...(failureQueueName === undefined
      ? []
      : [
          {
            name: 'failure-queue',
            question: 'lost',
            metric: queueMetric(failureQueueName),
            threshold: 0,
            means:
              'Lambda gave up on records that the function never got: too large, or not decodable with the schema registry.',
            firstStep:
              'read the condition and the offsets in the messages, then correct the producer or the schema. The relay writes their dead letters.',
          } as const,
        ]),
  ];
}

/** Alarms about invocations. */
export function functionAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  const percent = options.durationPercentOfTimeout ?? 90;
  return [
    {
      name: 'function-errors',
      question: 'stuck',
      metric: functionMetric(watched, 'Errors', 'Sum'),
      threshold: 0,
      // Such a function throws to get a batch again. Only errors for a quarter of an hour show a fault.
      periods: watched.throws ? 15 : 1,
      means: 'Invocations ended without an answer: crash, timeout, or a deployment that cannot start.',
      firstStep: 'read the error lines of the function’s log; roll back if a deployment just went out.',
    },
    {
      name: 'throttles',
      question: 'late',
      metric: functionMetric(watched, 'Throttles', 'Sum'),
      threshold: 0,
      periods: 5,
      means: 'Lambda refuses invocations because there is no concurrency left, and removes pollers.',
      firstStep: 'raise the reserved concurrency of the function or the quota of the account.',
    },
    {
      name: 'duration',
      question: 'late',
      metric: functionMetric(watched, 'Duration', 'Maximum'),
      threshold: watched.timeoutSeconds * 10 * percent,
      periods: 5,
      means: `Invocations take more than ${percent} % of the function’s timeout; handlers may soon be interrupted.`,
      firstStep: 'look at HandlerMs for the slow handler; lower the batch size or raise the timeout.',
    },
  ];
}
