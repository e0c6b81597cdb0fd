import { type AlarmDefinition, functionMetric, type Watched } from './alarm-definition.ts';

/** Alarms about invocations. */
export function functionAlarms(watched: Watched): AlarmDefinition[] {
  return [
    {
      name: 'function-errors',
      severity: 'page',
      question: 'stuck',
      metric: functionMetric(watched, 'Errors', 'Sum'),
      threshold: 0,
      // One crash is harmless. A function that throws to get a batch again shows a fault only after a quarter of an hour.
      ...(watched.throws ? { periods: 15 } : { periods: 5, datapoints: 3 }),
      means: 'Invocations end without an answer again and again: crash, timeout, or a deployment that cannot start.',
      firstStep: `read the errors with \`aws logs tail ${watched.logGroupName} --since 30m\`. Roll back if a deployment just went out.`,
    },
  ];
}
