import { expect, test } from 'vitest';
import { batchResponse, type EndedPartition } from '../../../shared/decide/batch-response.ts';

const partition = (identifier: string, offsets: number[], firstUnsettled?: number): EndedPartition => ({
  identifier,
  records: offsets.map((offset) => ({ offset })),
  firstUnsettled,
});

test('reports the failed record and every later one of its partition', () => {
  const orders0 = partition('orders-0', [41, 42, 43], 42);
  const orders1 = partition('orders-1', [7, 8]);

  expect(batchResponse([orders0, orders1])).toEqual({
    batchItemFailures: [
      { itemIdentifier: { partition: 'orders-0', offset: 42 } },
      { itemIdentifier: { partition: 'orders-0', offset: 43 } },
    ],
  });
});

test('reports nothing when all is settled', () => {
  expect(batchResponse([partition('orders-0', [41])])).toEqual({ batchItemFailures: [] });
});

test('gives the identifier back as it came, dashes and all', () => {
  expect(batchResponse([partition('orders-eu-west-1-12', [5], 5)])).toEqual({
    batchItemFailures: [{ itemIdentifier: { partition: 'orders-eu-west-1-12', offset: 5 } }],
  });
});
