import { expect, test } from 'vitest';
import { batchResponse, type EndedPartition, type PartitionEnd } from '../../../shared/decide/batch-response.ts';

const partition = (identifier: string, offsets: number[], end: PartitionEnd): EndedPartition => ({
  identifier,
  records: offsets.map((offset) => ({ offset })),
  end,
});

test('reports the failed record and every later one of its partition', () => {
  const orders0 = partition('orders-0', [41, 42, 43], { type: 'halted', firstUnsettled: 42 });
  const orders1 = partition('orders-1', [7, 8], { type: 'drained' });

  expect(batchResponse([orders0, orders1])).toEqual({
    batchItemFailures: [
      { itemIdentifier: { partition: 'orders-0', offset: 42 } },
      { itemIdentifier: { partition: 'orders-0', offset: 43 } },
    ],
  });
});

test('reports nothing when all is settled', () => {
  expect(batchResponse([partition('orders-0', [41], { type: 'drained' })])).toEqual({ batchItemFailures: [] });
});

test('gives the identifier back as it came, dashes and all', () => {
  expect(batchResponse([partition('orders-eu-west-1-12', [5], { type: 'halted', firstUnsettled: 5 })])).toEqual({
    batchItemFailures: [{ itemIdentifier: { partition: 'orders-eu-west-1-12', offset: 5 } }],
  });
});
