import { expect, test } from 'vitest';
import { decisionsKey } from '../../../shared/operator/change-partition.ts';
import { ledgerKey } from '../../../shared/record/item-identifier.ts';

test('the items that the commands write are those that the rights name', () => {
  const partition = { cluster: 'uuid-1', group: 'Shop-Orders', topic: 'orders', partition: 3 };
  expect(ledgerKey(partition)).toMatch(/^partition#uuid-1#Shop-Orders#/);
  expect(decisionsKey(partition)).toMatch(/^decisions#uuid-1#Shop-Orders#/);
});
