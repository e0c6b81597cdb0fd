import { expect, test } from 'vitest';
import { decodeKeyItem, encodeKeyItem } from '../../../../shared/adapters/dynamodb/ledger-key-item.ts';
import type { KeyItem } from '../../../../shared/decide/idempotency.ts';
import { itemFixture } from '../../../fixtures/item-fixture.ts';

const KEY = 'key#billing#9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const ITEM: KeyItem = {
  status: 'IN_PROGRESS',
  position: 'orders-3@1042',
  claimedBy: { ledgerKey: 'partition#c0ffee00-1111-2222-3333-444455556666-3#billing#orders#3', epoch: 7 },
  valueHash: '47DEQpj8HBS',
  expiresAt: 1_795_856_400,
};

test('reads the keys that version 1 wrote', async () => {
  expect(decodeKeyItem(await itemFixture('v2-key-in-progress'))).toStrictEqual(ITEM);
  expect(decodeKeyItem(await itemFixture('v2-key-completed'))).toStrictEqual({ ...ITEM, status: 'COMPLETED' });
});

test('is written the way the fixtures were', async () => {
  expect(encodeKeyItem(KEY, ITEM)).toStrictEqual(await itemFixture('v2-key-in-progress'));
});

test.each([
  ['of a newer version', { v: { N: '3' } }, 'has format version'],
  [
    'in another status',
    { status: { S: 'DONE' } },
    'expected attribute status to be IN_PROGRESS or COMPLETED, got DONE',
  ],
  ['held by nobody', { claimedBy: { S: 'me' } }, 'expected attribute claimedBy to end in #<epoch>, got me'],
  ['without an end', { expiresAt: { S: '' } }, 'expected attribute expiresAt to be an integer'],
])('a key %s is unreadable, and named', (_, attributes, what) => {
  const decode = () => decodeKeyItem({ ...encodeKeyItem(KEY, ITEM), ...attributes });

  expect(decode).toThrow(expect.objectContaining({ code: 'LEDGER_ITEM_UNREADABLE' }));
  expect(decode).toThrow(KEY);
  expect(decode).toThrow(what);
});
