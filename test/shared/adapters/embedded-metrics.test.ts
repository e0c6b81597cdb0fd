import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { expect, onTestFinished, test, vi } from 'vitest';
import { embeddedMetrics } from '../../../shared/adapters/embedded-metrics.ts';

const AT = Date.UTC(2026, 10, 21, 19, 0, 0, 7);

function metrics() {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  return { lines, ...embeddedMetrics({ namespace: 'Lockstep', service: 'orders', clock: { now: () => AT }, write }) };
}

test('the metrics of an invocation are one line, as Powertools writes it', () => {
  vi.useFakeTimers({ now: AT, toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const theirs: string[] = [];
  const powertools = new Metrics({ namespace: 'Lockstep', serviceName: 'orders' });
  Object.assign(Reflect.get(powertools, 'console'), { log: (line: string) => theirs.push(line) });
  const { lines, count, flush } = metrics();

  count('HandlerMs', 12);
  count('RecordsHandled', 100);
  powertools.addMetric('HandlerMs', MetricUnit.Milliseconds, 12);
  powertools.addMetric('RecordsHandled', MetricUnit.Count, 100);
  flush();
  powertools.publishStoredMetrics();

  expect(lines).toEqual(theirs);
  expect(lines).toHaveLength(1);
});

test('counts are summed, of times the longest is kept', () => {
  const { lines, count, flush } = metrics();

  for (const ms of [3, 12, 7]) count('HandlerMs', ms);
  for (const records of [1, 2]) count('RecordsHandled', records);
  count('AttemptsFailed');
  count('AttemptsFailed');
  flush();

  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ HandlerMs: 12, RecordsHandled: 3, AttemptsFailed: 2 });
});

test('each invocation begins anew, and one that counted nothing writes nothing', () => {
  const { lines, count, flush } = metrics();

  count('RecordsHandled');
  flush();
  flush();
  count('HeadsAbandoned');
  flush();

  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[1] ?? '')).toEqual({
    _aws: {
      Timestamp: AT,
      CloudWatchMetrics: [
        {
          Namespace: 'Lockstep',
          Dimensions: [['service']],
          Metrics: [{ Name: 'HeadsAbandoned', Unit: 'Count' }],
        },
      ],
    },
    service: 'orders',
    HeadsAbandoned: 1,
  });
});
