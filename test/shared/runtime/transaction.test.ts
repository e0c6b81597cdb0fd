import { describe, expect, test } from 'vitest';
import { actionBytes } from '../../../shared/decide/transact-size.ts';
import { fitsTransaction, sharing } from '../../../shared/runtime/transaction.ts';

describe('a transaction', () => {
  test.each([
    [{ actions: 99, bytes: 10 }, true],
    [{ actions: 100, bytes: 10 }, false],
    [{ actions: 1, bytes: 3_500_000 }, true],
    [{ actions: 1, bytes: 3_500_001 }, false],
  ])('takes 99 actions of 3,500,000 bytes beside the partition’s own: %o %s', (size, fits) => {
    expect(fitsTransaction(size)).toBe(fits);
  });

  test('is shared by as many of the first transactions as fit, whole', () => {
    const small = { actions: 30, bytes: 100 };

    expect(sharing([small, small, small, small])).toBe(3);
    expect(sharing([small, { actions: 2, bytes: 3_500_000 }, small])).toBe(1);
    expect(sharing([{ actions: 99, bytes: 1 }, small])).toBe(1);
    expect(sharing([small])).toBe(1);
    expect(sharing([])).toBe(0);
  });
});

test('an action weighs what its names, texts and binaries weigh', () => {
  const action = { Put: { TableName: 'entries', Item: { id: { S: 'größe' }, data: { B: new Uint8Array(1_000) } } } };

  // Put 3, TableName 9, entries 7, Item 4, id 2, S 1, größe 7, data 4, B 1, and the binary.
  expect(actionBytes(action)).toBe(1_038);
});
