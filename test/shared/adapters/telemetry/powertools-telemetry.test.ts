import { expect, test, vi } from 'vitest';
import { metricsOfLogLine } from '../../../../infra/local/emf.ts';
import {
  type PowertoolsTelemetry,
  powertoolsTelemetry,
} from '../../../../shared/adapters/telemetry/powertools-telemetry.ts';
import { readEnvironment } from '../../../../shared/environment.ts';
import { METRICS } from '../../../../shared/ports/telemetry.ts';

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

type Counting = (telemetry: PowertoolsTelemetry) => void;

const count: Counting = (telemetry) => {
  for (const value of [2, 1]) telemetry.count('RecordsHandled', value);
  telemetry.flush();
  telemetry.count('BlockedRecordAgeMs', 7);
};

/** The metrics that a function prints when these are counted. */
function printed(variables: Readonly<Record<string, string>>, counting = count) {
  const lines: string[] = [];
  // Powertools has a console of its own, which writes there.
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
    lines.push(String(line));
    return true;
  });
  const telemetry = powertoolsTelemetry(readEnvironment(variables));
  counting(telemetry);
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

test('metrics of what halts a partition, and of what may be a loss, count for the one that an alarm watches', () => {
  const counted = METRICS.map((metric) => [
    metric,
    printed(DEPLOYED, (telemetry) => {
      for (const value of [2, 1]) telemetry.count(metric, value);
    }).flatMap(({ name, value }) => (name === metric ? [] : [name, value])),
  ]);
  expect(Object.fromEntries(counted.filter(([, also]) => also?.length !== 0))).toEqual({
    FloodBreakerOpen: ['PartitionsHalted', 3],
    LedgerUnavailable: ['PartitionsHalted', 3],
    ParkedKeysFull: ['PartitionsHalted', 3],
    PartitionsFull: ['PartitionsHalted', 3],
    ReplayHalted: ['PartitionsHalted', 3],
    RecordsNotRedelivered: ['LossSuspected', 3],
    TopicsRecreated: ['LossSuspected', 3],
  });
});
