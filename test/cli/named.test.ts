import { expect, test } from 'vitest';
import { partitionNamed, recordNamed, spanNamed } from '../../cli/named.ts';

test('the name of a partition, a record or a range is read exactly', () => {
  expect(partitionNamed('or-ders-3')).toEqual({ topic: 'or-ders', partition: 3 });
  expect(recordNamed('orders-3@1042')).toEqual({ topic: 'orders', partition: 3, offset: 1042 });
  expect(spanNamed('orders-3@10-20')).toEqual({ topic: 'orders', partition: 3, fromOffset: 10, toOffset: 20 });
  expect(spanNamed('orders-3@7')).toEqual({ topic: 'orders', partition: 3, fromOffset: 7, toOffset: 7 });
});

test.each([
  'orders-3',
  'orders-3@',
  'orders-03@1',
  'orders-3@01',
  'orders-3@-1',
  'orders-3@1e3',
  'orders-3@9007199254740993',
  '@1',
  '',
])('%j names no record', (text) => {
  expect(() => recordNamed(text)).toThrow(
    `COMMAND_LINE_INVALID: expected a record such as orders-3@1042, got \`${text}\``,
  );
});

test.each(['orders-3', 'orders-3@20-10', 'orders-3@1-2-3', 'orders-3@1-', 'orders-3@1-9007199254740993'])(
  '%j is no range',
  (text) => {
    expect(() => spanNamed(text)).toThrow('COMMAND_LINE_INVALID: expected a range such as orders-3@1042-1060');
  },
);

test('more digits than a number holds name no other partition', () => {
  expect(() => partitionNamed('orders-90071992547409931')).toThrow('COMMAND_LINE_INVALID');
});
