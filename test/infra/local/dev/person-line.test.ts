import { expect, test } from 'vitest';
import { personLine } from '../../../../infra/local/dev/person-line.ts';

test.each([
  ['START RequestId: 1 Version: $LATEST', undefined],
  ['REPORT RequestId: 1 Duration: 3 ms', undefined],
  ['', undefined],
  ['(node:6890) [DEP0169] DeprecationWarning: `url.parse()` behavior is not standardized', undefined],
  ['(Use `node --trace-deprecation ...` to show where the warning was created)', undefined],
  ['a line of console.log', 'a line of console.log'],
  ['{"not":"a log line"}', '{"not":"a log line"}'],
  ['{broken', '{broken'],
])('%j is shown as %j', (line, shown) => {
  expect(personLine(line)).toBe(shown);
});

test('a batch is one line with what became of its records', () => {
  const metrics = { _aws: {}, RecordsHandled: 98, RecordsDeadLettered: 1, AttemptsFailed: [2, 1], HandlerMs: [1, 2] };

  expect(personLine(JSON.stringify(metrics))).toBe('✔ 98 handled, 3 failed attempts, 1 dead-lettered');
  expect(personLine('{"_aws":{},"HandlerMs":[3]}')).toBeUndefined();
});

test('a record that failed is one line: where it is, what is wrong, and which attempt it was', () => {
  const line = {
    level: 'ERROR',
    message: 'attempt failed',
    timestamp: '2026-01-01T00:00:00.000Z',
    service: 'Orders',
    function_request_id: '1',
    topic: 'orders',
    partition: 3,
    offset: '1042',
    attempt: 2,
    error: { name: 'TypeError', message: 'no such order', location: 'orders.ts:7', stack: 'at …' },
  };

  expect(personLine(JSON.stringify(line))).toBe(
    '✖ orders-3@1042 attempt failed (attempt 2, TypeError: no such order at orders.ts:7)',
  );
});

test('of an attempt the class of its error and its text are shown, and what follows', () => {
  const attempt = { topic: 'orders', partition: 1, offset: 1, attempt: 1, stage: 'handler', next: 'retryInline' };
  const line = { level: 'WARN', message: 'record failed', ...attempt, error: 'Error', text: 'broken' };

  expect(personLine(JSON.stringify(line))).toBe('! orders-1@1 record failed (Error: broken, next=retryInline)');
});

test('what a handler logs keeps its own fields', () => {
  const line = { level: 'INFO', message: 'applied', service: 'Orders', amount: 5, lines: [{ sku: 'a' }] };

  expect(personLine(JSON.stringify(line))).toBe('· applied (amount=5, lines=[{"sku":"a"}])');
});
