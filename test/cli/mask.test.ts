import { expect, test } from 'vitest';
import { masked } from '../../cli/mask.ts';
import type { ExactRecord } from '../../shared/operator/answers.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const recordOf = (value: unknown, key: string | null = 'c-1'): ExactRecord => ({
  position: 'orders-0@7',
  timestamp: 1,
  key: key === null ? null : base64(key),
  value: value === null ? null : base64(typeof value === 'string' ? value : JSON.stringify(value)),
  headers: [{ name: 'x-user', value: base64('ann') }],
});
const jsonOf = ({ value }: ExactRecord) => JSON.parse(Buffer.from(value ?? '', 'base64').toString());

const card = {
  id: 'o-1',
  card: { number: '4711471147114711', cvc: 123, debit: true },
  lines: [{ name: 'tea' }, { name: 'jam' }],
};

test.each<[string, object]>([
  ['$.card.number', { ...card, card: { ...card.card, number: 'xxxxxxxxxxxxxxx1' } }],
  ['$.card.cvc', { ...card, card: { ...card.card, cvc: 1 } }],
  ['$.card', { ...card, card: { number: 'xxxxxxxxxxxxxxx1', cvc: 2, debit: false } }],
  ['$.lines[*].name', { ...card, lines: [{ name: 'xx1' }, { name: 'xx2' }] }],
  ['$.lines[1].name', { ...card, lines: [{ name: 'tea' }, { name: 'xx1' }] }],
])('%s is masked, and nothing else', (mask, expected) => {
  const [record] = masked([recordOf(card)], [mask]);

  expect(record && jsonOf(record)).toEqual(expected);
  expect(record).toMatchObject({ position: 'orders-0@7', key: base64('c-1'), headers: [{ value: base64('ann') }] });
});

test('equal values get equal masks, different ones different masks: a key stays a key', () => {
  const records = masked(
    [
      recordOf({ id: 'o-1' }, 'c-1'),
      recordOf({ id: 'o-2' }, 'c-2'),
      recordOf({ id: 'o-1' }, 'c-1'),
      recordOf(null, null),
    ],
    ['$.id', 'key', 'headers.x-user'],
  );

  expect(
    records.slice(0, 3).map((record) => [jsonOf(record).id, Buffer.from(record.key ?? '', 'base64').toString()]),
  ).toEqual([
    ['xx1', 'xx1'],
    ['xx2', 'xx2'],
    ['xx1', 'xx1'],
  ]);
  expect(records[3]).toMatchObject({ key: null, value: null, headers: [{ name: 'x-user', value: base64('xx1') }] });
});

test('what is not masked keeps its exact bytes', () => {
  const odd = recordOf('{ "id" : 12345678901234567890 }');

  expect(masked([odd], ['key'])[0]?.value).toBe(odd.value);
  expect(masked([odd], [])).toEqual([odd]);
});

test.each([
  ['$.card.nmber', recordOf(card), '--mask $.card.nmber names nothing in orders-0@7, so nothing was written'],
  ['headers.x-none', recordOf(card), '--mask headers.x-none names nothing in orders-0@7'],
  ['key', recordOf(card, null), '--mask key names nothing'],
  ['$.id', recordOf('<xml/>'), '--mask $.id needs JSON, and the value of orders-0@7 is none, so nothing was written'],
  [
    'card.number',
    recordOf(card),
    'expected --mask to be `key`, `headers.<name>` or a path such as $.card.number, got `card.number`',
  ],
  ['$', recordOf(card), 'expected --mask to be'],
])('%s is refused where it would let something through', (mask, record, says) => {
  expect(() => masked([record], [mask])).toThrow(says);
});
