import { expect } from 'vitest';
import { FRESH_PROGRESS } from '../../shared/decide/progress.ts';
import type { Clause } from './contract-results.ts';
import { claimBy, LEASED, type LedgerUnderTest, NOW, newPartition, settledTo, writeBy } from './ledger-under-test.ts';

/** What a claim promises. */
export function ledgerClaimClauses(clause: Clause, open: () => Promise<LedgerUnderTest>): void {
  clause('reads nothing of a partition that was never claimed', async () => {
    const { ledger } = await open();

    expect(await ledger.read(newPartition())).toBeUndefined();
  });

  clause('grants epoch 1 of a partition that was never claimed', async () => {
    const { ledger } = await open();
    const partition = newPartition();

    const answer = await ledger.claim(claimBy(partition, 'a'));

    expect(answer).toEqual({
      type: 'granted',
      item: {
        epoch: 1,
        rev: 1,
        owner: 'a',
        leaseUntil: 1_795_251_615_000,
        claims: [{ owner: 'a', offsets: [{ from: 10, to: 19 }] }],
        progress: FRESH_PROGRESS,
      },
    });
    expect(await ledger.read(partition)).toEqual(answer.item);
  });

  clause('refuses while another owner is within its lease, shows the item and changes nothing', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    const { item } = await ledger.claim(claimBy(partition, 'a'));

    expect(await ledger.claim(claimBy(partition, 'b', { now: NOW + 1_000 }))).toEqual({ type: 'refused', item });
    expect(await ledger.read(partition)).toEqual(item);
  });

  clause('refuses at the last millisecond of the lease and grants the next epoch one later', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));

    const early = await ledger.claim(claimBy(partition, 'b', { now: LEASED }));
    const late = await ledger.claim(claimBy(partition, 'b', { now: LEASED + 1, leaseUntil: LEASED + 15_000 }));

    expect(early).toMatchObject({ type: 'refused', item: { epoch: 1, owner: 'a' } });
    expect(late).toMatchObject({
      type: 'granted',
      item: { epoch: 2, rev: 2, owner: 'b', leaseUntil: LEASED + 15_000 },
    });
  });

  clause('keeps the claims of every dead invocation before the new one', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    await ledger.claim(claimBy(partition, 'b', { now: LEASED + 1, offsets: [{ from: 20, to: 20 }] }));

    const { item } = await ledger.claim(
      claimBy(partition, 'c', {
        now: LEASED + 2,
        offsets: [
          { from: 10, to: 12 },
          { from: 14, to: 30 },
        ],
      }),
    );

    expect(item.claims).toEqual([
      { owner: 'a', offsets: [{ from: 10, to: 19 }] },
      { owner: 'b', offsets: [{ from: 20, to: 20 }] },
      {
        owner: 'c',
        offsets: [
          { from: 10, to: 12 },
          { from: 14, to: 30 },
        ],
      },
    ]);
    expect(item).toMatchObject({ epoch: 3, rev: 3 });
  });

  clause('keeps the offsets of four claims at most, and grants a fifth without: the item stays small', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    const first = { offset: 10, timestamp: 1_795_251_599_000, valueHash: 'hW3k_q0-' };
    const claimAs = (owner: string, now: number) =>
      ledger.claim(claimBy(partition, owner, { now, leaseUntil: now, first }));
    for (const [index, owner] of ['a', 'b', 'c', 'd'].entries()) await claimAs(owner, NOW + index);

    const bare = await claimAs('e', NOW + 4);
    const again = await claimAs('e', NOW + 4);

    expect(bare).toMatchObject({ type: 'granted', item: { epoch: 5, rev: 5, owner: 'e', leaseUntil: NOW + 4 } });
    expect(bare.item.claims.map(({ owner, offsets }) => [owner, offsets.length])).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
      ['d', 1],
      ['e', 0],
    ]);
    expect(bare.item.claims[4]).toEqual({ owner: 'e', offsets: [] });
    expect(again).toMatchObject({ type: 'refused', item: { epoch: 5, owner: 'e' } });
  });

  clause('refuses a fifth claim within the lease of the fourth as any other', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    for (const [index, owner] of ['a', 'b', 'c', 'd'].entries())
      await ledger.claim(claimBy(partition, owner, { now: NOW + index, leaseUntil: NOW + index }));

    const answer = await ledger.claim(claimBy(partition, 'e', { now: NOW + 3 }));

    expect(answer).toMatchObject({ type: 'refused', item: { epoch: 4, owner: 'd' } });
  });

  clause('keeps the first record of a claimed batch until the first write under the claim', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    const first = { offset: 10, timestamp: 1_795_251_599_000, valueHash: 'hW3k_q0-' };

    const { item } = await ledger.claim(claimBy(partition, 'a', { first }));

    expect(item.claims).toEqual([{ owner: 'a', offsets: [{ from: 10, to: 19 }], first }]);
    await ledger.write(writeBy(partition, 'a', { claimed: [{ from: 10, to: 19 }] }));
    expect((await ledger.read(partition))?.claims).toEqual([{ owner: 'a', offsets: [{ from: 10, to: 19 }] }]);
  });

  clause('shows our own owner when a claim whose answer was lost is repeated, and counts it once', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    const request = claimBy(partition, 'a');
    await ledger.claim(request);

    expect(await ledger.claim(request)).toMatchObject({
      type: 'refused',
      item: { epoch: 1, rev: 1, owner: 'a', claims: [{ owner: 'a' }] },
    });
  });

  clause('grants a released partition within its old lease, without the claims of before', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    await ledger.write(writeBy(partition, 'a', { release: true }));

    const answer = await ledger.claim(claimBy(partition, 'b', { now: NOW + 1 }));

    expect(answer).toMatchObject({ type: 'granted', item: { epoch: 2, rev: 3, owner: 'b' } });
    expect(answer.item.claims).toEqual([{ owner: 'b', offsets: [{ from: 10, to: 19 }] }]);
  });

  clause('hands the progress of the last write to the next claim, unchanged by it', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    await ledger.write(writeBy(partition, 'a', { progress: settledTo(16) }));

    const { item } = await ledger.claim(claimBy(partition, 'b', { now: LEASED + 5_001 }));

    expect(item.progress).toEqual(settledTo(16));
    expect(item.claims).toEqual([
      { owner: 'a', offsets: [{ from: 15, to: 19 }] },
      { owner: 'b', offsets: [{ from: 10, to: 19 }] },
    ]);
  });

  clause('takes a claim without offsets, as the relay and operators make it', async () => {
    const { ledger } = await open();

    const { item } = await ledger.claim(claimBy(newPartition(), 'relay', { offsets: [] }));

    expect(item.claims).toEqual([{ owner: 'relay', offsets: [] }]);
  });

  clause('takes any owner text', async () => {
    const { ledger } = await open();
    const owner = 'sweep of 4c1f, by hand: "ä" + 1';

    const { item } = await ledger.claim(claimBy(newPartition(), owner));

    expect(item).toMatchObject({ owner, claims: [{ owner, offsets: [{ from: 10, to: 19 }] }] });
  });

  clause('grants exactly one of many claims made at once', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    const owners = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

    const answers = await Promise.all(owners.map((owner) => ledger.claim(claimBy(partition, owner))));

    const granted = answers.filter(({ type }) => type === 'granted');
    expect(granted).toHaveLength(1);
    expect(await ledger.read(partition)).toEqual(granted[0]?.item);
    expect(granted[0]?.item).toMatchObject({ epoch: 1, rev: 1 });
  });

  clause('keeps clusters, groups, topics and partitions apart', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));

    const others = [
      { ...partition, cluster: 'other' },
      { ...partition, group: 'shipping' },
      { ...partition, topic: `${partition.topic}-3` },
      { ...partition, partition: 4 },
    ];
    const answers = await Promise.all(others.map((other) => ledger.claim(claimBy(other, 'b'))));

    expect(answers.map(({ type, item }) => `${type} ${item.epoch}`)).toEqual(Array(4).fill('granted 1'));
    expect(await ledger.read(partition)).toMatchObject({ epoch: 1, owner: 'a' });
  });
}
