import { expect, test, vi } from 'vitest';
import { metricsOfLogLine } from '../../../../infra/local/emf.ts';
import { powertoolsTelemetry } from '../../../../shared/adapters/telemetry/powertools-telemetry.ts';
import { readEnvironment } from '../../../../shared/environment.ts';

const DEPLOYED = {
  LOCKSTEP_LEDGER_TABLE: 'Ledger',
  LOCKSTEP_CONSUMER_GROUP: 'shop-orders',
  LOCKSTEP_DEAD_LETTER_TOPIC: 'orders.dead',
  LOCKSTEP_FALLBACK_QUEUE_URL: 'https://sqs.example/1/fallback',
  LOCKSTEP_EVENT_SOURCE_ARN: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
  LOCKSTEP_TOPIC: 'orders',
  LOCKSTEP_CLUSTER_ARN: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
  LOCKSTEP_MAX_ATTEMPTS: '5',
  LOCKSTEP_MAX_INTERRUPTIONS: '3',
  LOCKSTEP_KEY_NAMESPACES: 'orders',
  POWERTOOLS_SERVICE_NAME: 'Orders',
};

function printed(variables: Readonly<Record<string, string>>) {
  const lines: string[] = [];
  // Powertools has a console of its own, which writes there.
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
    lines.push(String(line));
    return true;
  });
  const telemetry = powertoolsTelemetry(readEnvironment(variables));
  for (const value of [2, 1]) telemetry.count('RecordsHandled', value);
  telemetry.flush();
  telemetry.count('BlockedRecordAgeMs', 7);
  telemetry.flush();
  write.mockRestore();
  return lines.flatMap((line) => metricsOfLogLine(line));
}

test('metrics of each invocation have stack and consumer as dimensions', () => {
  const dimensions = { service: 'Orders', stack: 'Prod' };
  expect(printed({ ...DEPLOYED, LOCKSTEP_STACK: 'Prod' })).toEqual([
    { namespace: 'Lockstep', name: 'RecordsHandled', value: 3, unit: 'Count', dimensions },
    { namespace: 'Lockstep', name: 'BlockedRecordAgeMs', value: 7, unit: 'Milliseconds', dimensions },
  ]);
});

test('metrics of a function that no construct has deployed have the service only', () => {
  expect(printed(DEPLOYED).map(({ dimensions }) => dimensions)).toEqual([{ service: 'Orders' }, { service: 'Orders' }]);
});
