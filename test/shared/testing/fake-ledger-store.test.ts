import { expect, test } from 'vitest';
import type { PartitionItem } from '../../../shared/decide/progress.ts';
import { countingLedger } from '../../../shared/testing/counting-ledger-store.ts';
import { fakeLedgerStore } from '../../../shared/testing/fake-ledger-store.ts';
import { fakeUnderTest } from '../../contracts/fake-under-test.ts';
import { ledgerStoreContract } from '../../contracts/ledger-store.contract.ts';
import { claimBy, newPartition, settledTo, writeBy } from '../../contracts/ledger-under-test.ts';

ledgerStoreContract('fake', async () => fakeUnderTest());

test('takes effect at the moment of the call, before anything is awaited', () => {
  const ledger = fakeLedgerStore();
  const partition = newPartition();

  void ledger.claim(claimBy(partition, 'a'));
  void ledger.write(writeBy(partition, 'a'));

  expect(ledger.peek(partition)).toMatchObject({ epoch: 1, rev: 2, owner: 'a' });
});

test('tells of every change, and of nothing else', async () => {
  const changes: [number | undefined, number][] = [];
  const onChange = (_: unknown, before: PartitionItem | undefined, after: PartitionItem) =>
    void changes.push([before?.rev, after.rev]);
  const ledger = fakeLedgerStore({ onChange });
  const partition = newPartition();

  await ledger.claim(claimBy(partition, 'a'));
  await ledger.claim(claimBy(partition, 'b'));
  await ledger.write(writeBy(partition, 'a'));
  await ledger.write(writeBy(partition, 'a'));

  expect(changes).toEqual([
    [undefined, 1],
    [1, 2],
  ]);
});

test('hands out the progress that was written, not a copy', async () => {
  const ledger = fakeLedgerStore();
  const partition = newPartition();
  const progress = settledTo(14);
  await ledger.claim(claimBy(partition, 'a'));
  await ledger.write(writeBy(partition, 'a', { progress }));

  expect((await ledger.read(partition))?.progress).toBe(progress);
});

test('has items placed and taken away', async () => {
  const ledger = fakeLedgerStore();
  const partition = newPartition();
  const { item } = await ledger.claim(claimBy(partition, 'a'));

  ledger.place(partition, undefined);
  expect(await ledger.read(partition)).toBeUndefined();
  ledger.place(partition, item);
  expect(await ledger.read(partition)).toBe(item);
});

test('counts requests, whatever their answer', async () => {
  const ledger = countingLedger(fakeLedgerStore());
  const partition = newPartition();

  await ledger.claim(claimBy(partition, 'a'));
  await ledger.claim(claimBy(partition, 'b'));
  await ledger.write(writeBy(partition, 'b'));
  await ledger.read(partition);

  expect(ledger.counts).toEqual({ claims: 2, writes: 1, reads: 1 });
});
