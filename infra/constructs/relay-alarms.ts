import { type AlarmDefinition, functionMetric, queueAgeMetric, type Watched } from './alarm-definition.ts';

/** Seconds that a message may wait while the relay tries again. */
const PATIENCE_SECONDS = 900;

/** Alarms about the relay itself: what it cannot move stays in its queues, and a person must look. */
export function relayAlarms(watched: Watched): AlarmDefinition[] {
  const { relayFunctionName, fallbackQueueName, failureQueueName } = watched;
  if (relayFunctionName === undefined) return [];
  return [
    {
      name: 'relay-errors',
      question: 'stuck',
      metric: functionMetric({ ...watched, functionName: relayFunctionName }, 'Errors', 'Sum'),
      threshold: 0,
      periods: 5,
      datapoints: 3,
      means:
        'The relay fails: ages of blocked records are not measured between batches, and dead letters wait in the queues.',
      firstStep: 'read the error lines of the relay’s log. Check brokers, permissions and ledger.',
    },
    relayBehind('relay-behind', fallbackQueueName),
    ...(failureQueueName === undefined ? [] : [relayBehind('relay-behind-failures', failureQueueName)]),
  ];
}

function relayBehind(name: string, queueName: string): AlarmDefinition {
  return {
    name,
    question: 'lost',
    metric: queueAgeMetric(queueName),
    threshold: PATIENCE_SECONDS,
    means: 'A message has waited for 15 minutes although the relay tries again and again.',
    firstStep: 'read the relay’s log: it says for each message why it could not be moved. Nothing is lost meanwhile.',
  };
}
