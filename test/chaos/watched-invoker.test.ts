import { expect, test } from 'vitest';
import { untruths } from './watched-invoker.ts';

const EVENT = { records: { 'orders-0': [{ offset: 41 }, { offset: 42 }, { offset: 43 }] } };

function answer(...offsets: readonly number[]) {
  return { batchItemFailures: offsets.map((offset) => ({ itemIdentifier: { partition: 'orders-0', offset } })) };
}

test('finds nothing in an answer that names a whole tail, or nothing', () => {
  expect(untruths(EVENT, answer(42, 43))).toEqual([]);
  expect(untruths(EVENT, answer())).toEqual([]);
  expect(untruths(EVENT, null)).toEqual([]);
});

test('finds a name without the one that follows it', () => {
  expect(untruths(EVENT, answer(42))).toEqual(['an answer names orders-0@42 and not orders-0@43, which follows it']);
});

test('finds a name that was not in the event', () => {
  expect(untruths(EVENT, answer(44))).toEqual(['an answer names orders-0@44, which was not in its event']);
});
