import { type AlarmDefinition, functionMetric, queueAgeMetric, type Watched } from './alarm-definition.ts';

/** Seconds that an entry may wait while the relay tries again. */
const PATIENCE_SECONDS = 900;

/** About the relay itself: what it cannot place stays in its queues, and somebody must look. */
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
      means: 'The relay does not run: blocked records are not measured between batches, and parked letters wait.',
      firstStep: 'read the error lines of the relay’s log: brokers, rights, ledger.',
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
    means: 'An entry has waited for a quarter of an hour though the relay tries again and again.',
    firstStep: 'read the relay’s log: it says of each entry why it comes back. Nothing is lost meanwhile.',
  };
}
