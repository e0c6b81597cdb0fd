import { expect, test } from 'vitest';
import { fakeIdempotencyKeyStore } from '../../../shared/testing/fake-idempotency-key-store.ts';
import { fakeUnderTest } from '../../contracts/fake-under-test.ts';
import { idempotencyKeyStoreContract } from '../../contracts/idempotency-key-store.contract.ts';

idempotencyKeyStoreContract('fake', async () => fakeUnderTest());

test('sweeps what has expired, and only that', async () => {
  const keys = fakeIdempotencyKeyStore();
  const item = {
    status: 'IN_PROGRESS',
    position: 'orders-3@1',
    claimedBy: { ledgerKey: 'partition#c#g#orders#3', epoch: 1 },
    valueHash: 'AAAAAAAAAAA',
    expiresAt: 100,
  } as const;
  await keys.claim([
    { key: 'old', item },
    { key: 'young', item: { ...item, expiresAt: 101 } },
  ]);

  keys.sweep(100_000);

  expect([...keys.items.keys()]).toEqual(['young']);
});
