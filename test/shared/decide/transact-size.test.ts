import { expect, test } from 'vitest';
import {
  actionBytes,
  MAX_EFFECT_BYTES,
  MAX_RECORD_ACTIONS,
  MAX_TRANSACTION_ACTIONS,
} from '../../../shared/decide/transact-size.ts';

test('a transaction takes a hundred actions, a record two less: its key and its partition', () => {
  expect([MAX_TRANSACTION_ACTIONS, MAX_RECORD_ACTIONS, MAX_EFFECT_BYTES]).toEqual([100, 98, 3_500_000]);
});

test.each([
  ['text in UTF-8', 'Zoë', 4],
  ['bytes', Uint8Array.of(1, 2, 3), 3],
  ['a number or a boolean', true, 1],
  ['nothing', null, 1],
  ['names and members', { Item: { id: { S: 'abc' } } }, 10],
  ['members of a list, and one for each', { L: ['ab', 'c'] }, 6],
])('counts %s', (_what, value, bytes) => {
  expect(actionBytes(value)).toBe(bytes);
});
