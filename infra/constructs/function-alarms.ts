import { type AlarmDefinition, functionMetric, queueMetric, type Watched } from './alarm-definition.ts';
import type { AlarmOptions } from './alarm-options.ts';

/** About what waits in queues. */
export function queueAlarms({ fallbackQueueName, failureQueueName }: Watched): AlarmDefinition[] {
  return [
    {
      name: 'fallback-queue',
      question: 'lost',
      metric: queueMetric(fallbackQueueName),
      threshold: 0,
      means: 'Letters that the dead-letter topic refused, or ranges that the mapping lost, wait in the fallback queue.',
      firstStep: 'mend the topic, then let the relay empty the queue; SQS keeps entries for 14 days.',
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
              'Lambda gave up on records that the function never saw: too large, or unreadable by the schema registry.',
            firstStep:
              'read the condition and the offsets of the entries, mend producer or schema, then run the relay.',
          } as const,
        ]),
  ];
}

/** About invocations. */
export function functionAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  const percent = options.durationPercentOfTimeout ?? 90;
  return [
    {
      name: 'function-errors',
      question: 'stuck',
      metric: functionMetric(watched, 'Errors', 'Sum'),
      threshold: 0,
      // Throwing is how such a function asks for a batch again; only a quarter of an hour of it is news.
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
      means: 'Lambda refuses invocations for lack of concurrency, and takes pollers away.',
      firstStep: 'raise the reserved concurrency of the function or the quota of the account.',
    },
    {
      name: 'duration',
      question: 'late',
      metric: functionMetric(watched, 'Duration', 'Maximum'),
      threshold: watched.timeoutSeconds * 10 * percent,
      periods: 5,
      means: `Invocations take more than ${percent} % of the function’s timeout; handlers are close to being interrupted.`,
      firstStep: 'look at HandlerMs for the slow handler; lower the batch size or raise the timeout.',
    },
  ];
}
