import { expect } from 'vitest';
import type { Clause } from './contract-results.ts';
import { claimBy, LEASED, type LedgerUnderTest, newPartition, settledTo, writeBy } from './ledger-under-test.ts';

/** What a write promises: fencing, and a fate that `rev` tells. */
export function ledgerWriteClauses(clause: Clause, open: () => Promise<LedgerUnderTest>): void {
  clause('writes the next revision, renews the lease and folds dead claims into our own', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'dead'));
    await ledger.claim(claimBy(partition, 'a', { now: LEASED + 1, leaseUntil: LEASED + 15_000 }));

    const answer = await ledger.write(writeBy(partition, 'a', { epoch: 2, rev: 2, leaseUntil: LEASED + 20_000 }));

    expect(answer).toEqual({ type: 'written' });
    expect(await ledger.read(partition)).toEqual({
      epoch: 2,
      rev: 3,
      owner: 'a',
      leaseUntil: 1_795_251_635_000,
      claims: [{ owner: 'a', offsets: [{ from: 15, to: 19 }] }],
      progress: settledTo(14),
    });
  });

  clause('keeps an own claim of which nothing is left', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));

    await ledger.write(writeBy(partition, 'a', { progress: settledTo(19), claimed: [] }));

    expect((await ledger.read(partition))?.claims).toEqual([{ owner: 'a', offsets: [] }]);
  });

  clause('gives the partition back on release: no owner, no claims, the epoch stays', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));

    await ledger.write(writeBy(partition, 'a', { release: true, leaseUntil: LEASED }));

    expect(await ledger.read(partition)).toEqual({
      epoch: 1,
      rev: 2,
      leaseUntil: 1_795_251_615_000,
      claims: [],
      progress: settledTo(14),
    });
  });

  clause('lets its owner write although the lease has ended, until another owner takes over', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a', { leaseUntil: 1 }));

    expect(await ledger.write(writeBy(partition, 'a'))).toEqual({ type: 'written' });
  });

  clause('refuses a write of an earlier epoch, shows the item and changes nothing', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    const { item } = await ledger.claim(claimBy(partition, 'b', { now: LEASED + 1 }));

    // The epoch alone is wrong: owner and revision are as they stand.
    const answer = await ledger.write(writeBy(partition, 'b', { epoch: 1, rev: 2, release: true }));

    expect(answer).toEqual({ type: 'refused', item });
    expect(await ledger.read(partition)).toEqual(item);
  });

  clause('refuses a frozen owner that goes on after a take-over', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    const { item } = await ledger.claim(claimBy(partition, 'b', { now: LEASED + 1 }));

    expect(await ledger.write(writeBy(partition, 'a'))).toEqual({ type: 'refused', item });
    expect(await ledger.read(partition)).toEqual(item);
  });

  clause('refuses another owner under the same epoch and revision, and changes nothing', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    const { item } = await ledger.claim(claimBy(partition, 'a'));

    expect(await ledger.write(writeBy(partition, 'b'))).toEqual({ type: 'refused', item });
    expect(await ledger.read(partition)).toEqual(item);
  });

  clause('refuses a revision that is not the last, lower or higher, and changes nothing', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    const { item } = await ledger.claim(claimBy(partition, 'a'));

    expect(await ledger.write(writeBy(partition, 'a', { rev: 0 }))).toEqual({ type: 'refused', item });
    expect(await ledger.write(writeBy(partition, 'a', { rev: 2 }))).toEqual({ type: 'refused', item });
    expect(await ledger.read(partition)).toEqual(item);
  });

  clause('refuses its own owner once the partition was given back', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    await ledger.write(writeBy(partition, 'a', { release: true }));

    const answer = await ledger.write(writeBy(partition, 'a', { rev: 2, progress: settledTo(19) }));

    expect(answer).toMatchObject({ type: 'refused', item: { rev: 2, progress: { settled: [{ from: 10, to: 14 }] } } });
  });

  clause('refuses with no item where the item was deleted, and makes none', async () => {
    const { ledger } = await open();
    const partition = newPartition();

    expect(await ledger.write(writeBy(partition, 'a'))).toEqual({ type: 'refused', item: undefined });
    expect(await ledger.read(partition)).toBeUndefined();
  });

  clause('shows our epoch at the next revision when a write whose answer was lost is repeated', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    const request = writeBy(partition, 'a');
    await ledger.write(request);

    const answer = await ledger.write(request);

    expect(answer).toMatchObject({ type: 'refused', item: { epoch: 1, rev: 2, owner: 'a' } });
    expect(await ledger.read(partition)).toMatchObject({ rev: 2, progress: { settled: [{ from: 10, to: 14 }] } });
  });

  clause('shows our epoch at the next revision when a release whose answer was lost is repeated', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    const request = writeBy(partition, 'a', { release: true });
    await ledger.write(request);

    expect(await ledger.write(request)).toMatchObject({ type: 'refused', item: { epoch: 1, rev: 2, claims: [] } });
  });

  clause('refuses a write that lands after its successor, and changes nothing', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    const late = writeBy(partition, 'a');
    await ledger.write(late);
    await ledger.write(writeBy(partition, 'a', { rev: 2, progress: settledTo(17) }));

    expect(await ledger.write(late)).toMatchObject({ type: 'refused', item: { rev: 3 } });
    expect((await ledger.read(partition))?.progress).toEqual(settledTo(17));
  });

  clause('writes exactly one of many writes made at once over one revision', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    const ends = [11, 12, 13, 14, 15, 16, 17, 18];

    const answers = await Promise.all(
      ends.map((end) => ledger.write(writeBy(partition, 'a', { progress: settledTo(end) }))),
    );

    const written = ends.filter((_, index) => answers[index]?.type === 'written');
    expect(written).toHaveLength(1);
    expect(await ledger.read(partition)).toMatchObject({
      rev: 2,
      progress: { settled: [{ from: 10, to: written[0] }] },
    });
  });
}
