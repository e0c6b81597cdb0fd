import { expect, test } from 'vitest';
import { metricsOfLogLine } from '../../../infra/local/emf.ts';

/** As Powertools prints it. */
const line =
  '{"_aws":{"Timestamp":1795257653073,"CloudWatchMetrics":[{"Namespace":"Lockstep","Dimensions":[["service"]],' +
  '"Metrics":[{"Name":"RecordsHandled","Unit":"Count"},{"Name":"HandlerMs","Unit":"Milliseconds"}]}]},' +
  '"service":"Orders","RecordsHandled":3,"HandlerMs":[1.5,2]}';

test('takes each value of each metric with its dimensions', () => {
  const common = { namespace: 'Lockstep', dimensions: { service: 'Orders' } };

  expect(metricsOfLogLine(line)).toEqual([
    { ...common, name: 'RecordsHandled', unit: 'Count', value: 3 },
    { ...common, name: 'HandlerMs', unit: 'Milliseconds', value: 1.5 },
    { ...common, name: 'HandlerMs', unit: 'Milliseconds', value: 2 },
  ]);
});

test('takes it behind the prefix that the console puts before a line', () => {
  expect(metricsOfLogLine(`2026-11-21T10:00:00.000Z\t8d6c\tINFO\t${line}`)).toHaveLength(3);
});

test('takes a metric once for each set of dimensions, and without any', () => {
  const document = (dimensions: unknown) =>
    JSON.stringify({
      _aws: {
        CloudWatchMetrics: [{ Namespace: 'N', Dimensions: dimensions, Metrics: [{ Name: 'Depth' }] }],
      },
      topic: 'orders',
      partition: 3,
      Depth: 7,
    });

  expect(metricsOfLogLine(document([['topic'], ['topic', 'partition']])).map(({ dimensions }) => dimensions)).toEqual([
    { topic: 'orders' },
    { topic: 'orders', partition: '3' },
  ]);
  expect(metricsOfLogLine(document([]))).toEqual([
    { namespace: 'N', name: 'Depth', unit: 'None', value: 7, dimensions: {} },
  ]);
});

test.each([
  ['an ordinary line', 'wrote order 1'],
  ['a line cut in the middle', line.slice(0, 200)],
  ['somebody’s own `"_aws"`', '{"_aws":"hello"}'],
  ['a metric whose value is missing', line.replace('"RecordsHandled":3,"HandlerMs":[1.5,2]', '"x":1')],
])('finds nothing in %s', (_, text) => {
  expect(metricsOfLogLine(text)).toEqual([]);
});
