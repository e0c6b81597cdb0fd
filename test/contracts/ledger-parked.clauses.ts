import { expect } from 'vitest';
import type { Park } from '../../shared/decide/parking.ts';
import type { BlockedRecord, ParkedItem, PartitionItem } from '../../shared/decide/progress.ts';
import type { WriteRequest } from '../../shared/ports/ledger-store.ts';
import type { ParkedClaimRequest } from '../../shared/ports/parked-keys.ts';
import type { LedgerPartition } from '../../shared/record/item-identifier.ts';
import type { Clause } from './contract-results.ts';
import {
  claimBy,
  LEASED,
  type LedgerUnderTest,
  NOW,
  newId,
  newPartition,
  settledTo,
  writeBy,
} from './ledger-under-test.ts';

const SINCE = { since: NOW, behind: 'orders-3@15', fingerprint: 'f1', key: 'U0tVLTc=' };
const MARK: BlockedRecord = {
  offset: 15,
  timestamp: 1_795_251_500_500,
  valueHash: '47DEQpj8',
  attempts: 5,
  interruptions: 0,
  exhausted: true,
  parked: { sequence: 's1', ordinal: 1 },
};

function parksOf(key: string, change: Partial<Park> = {}): Park {
  return { key, sequence: 's1', from: 1, to: 1, created: SINCE, ...change };
}

function grows(key: string, from: number, to: number, sequence = 's1'): Park {
  return { key, sequence, from, to };
}

/** A write of the partition's owner that parks. */
function parking(partition: LedgerPartition, park: readonly Park[], change: Partial<WriteRequest> = {}): WriteRequest {
  const progress = { ...settledTo(14), blockedRecords: new Map([[15, MARK]]) };
  return writeBy(partition, 'a', { progress, park, hasParked: true, ...change });
}

/** A partition that `a` has claimed, parked a key of, and given back. */
async function withParkedKey({ ledger, parkedKeys }: LedgerUnderTest, tail = 1) {
  const partition = newPartition();
  const key = newId('key');
  const place = { ...partition, parkedKey: key };
  await ledger.claim(claimBy(partition, 'a'));
  await ledger.write(parking(partition, [parksOf(key, { to: tail })]));
  await ledger.write(writeBy(partition, 'a', { rev: 2, hasParked: true, release: true }));
  const item = (await parkedKeys.read(place)) as ParkedItem;
  return { partition, key, place, item, whole: (await ledger.read(partition)) as PartitionItem };
}

function claimOf(
  place: LedgerPartition,
  seen: ParkedClaimRequest['seen'],
  change: Partial<ParkedClaimRequest> = {},
): ParkedClaimRequest {
  return { partition: place, owner: 'r', now: NOW, leaseUntil: LEASED, offsets: [{ from: 1, to: 1 }], seen, ...change };
}

/** A write under the first claim of a parked key. */
function releasing(place: LedgerPartition, change: Partial<WriteRequest> = {}): WriteRequest {
  return {
    partition: place,
    owner: 'r',
    epoch: 2,
    rev: 1,
    progress: { ...settledTo(0), settled: [{ from: 1, to: 1 }] },
    leaseUntil: LEASED,
    claimed: [],
    release: false,
    sequence: 's1',
    ...change,
  };
}

/** What is parked, and what a release does with it: both change the partition's count with the item, or nothing. */
export function ledgerParkedClauses(clause: Clause, open: () => Promise<LedgerUnderTest>): void {
  clause('parks a key together with the mark of its record, and counts it', async () => {
    const { ledger, parkedKeys } = await open();
    const partition = newPartition();
    const key = newId('key');
    await ledger.claim(claimBy(partition, 'a'));

    expect(await ledger.write(parking(partition, [parksOf(key)]))).toEqual({ type: 'written' });

    expect(await ledger.read(partition)).toMatchObject({
      rev: 2,
      parked: 1,
      progress: { blockedRecords: new Map([[15, MARK]]) },
    });
    expect(await parkedKeys.read({ ...partition, parkedKey: key })).toMatchObject({
      epoch: 1,
      rev: 0,
      claims: [],
      sequence: 's1',
      tail: 1,
      ...SINCE,
    });
  });

  clause('parks nothing where the key is parked already, and writes nothing then', async () => {
    const { ledger, parkedKeys } = await open();
    const partition = newPartition();
    const [known, other] = [newId('key'), newId('key')];
    await ledger.claim(claimBy(partition, 'a'));
    await ledger.write(parking(partition, [parksOf(known)]));

    const answer = await ledger.write(
      parking(partition, [parksOf(other), parksOf(known, { sequence: 's2' })], { rev: 2 }),
    );

    expect(answer).toMatchObject({ type: 'cancelled', reasons: [{ code: 'ConditionalCheckFailed' }] });
    expect(answer.type === 'cancelled' && answer.reasons.every(({ index }) => index < 0)).toBe(true);
    expect(await ledger.read(partition)).toMatchObject({ rev: 2, parked: 1 });
    expect(await parkedKeys.read({ ...partition, parkedKey: other })).toBeUndefined();
    expect(await parkedKeys.read({ ...partition, parkedKey: known })).toMatchObject({ sequence: 's1', tail: 1 });
  });

  clause('raises the tail of a parked key from where it stands, and counts nothing', async () => {
    const { ledger, parkedKeys } = await open();
    const partition = newPartition();
    const key = newId('key');
    await ledger.claim(claimBy(partition, 'a'));
    await ledger.write(parking(partition, [parksOf(key)]));

    expect(await ledger.write(parking(partition, [grows(key, 2, 7)], { rev: 2 }))).toEqual({ type: 'written' });
    expect(await ledger.write(parking(partition, [grows(key, 7, 9)], { rev: 3 }))).toMatchObject({ type: 'cancelled' });
    expect(await ledger.write(parking(partition, [grows(key, 8, 9, 's2')], { rev: 3 }))).toMatchObject({
      type: 'cancelled',
    });

    expect(await ledger.read(partition)).toMatchObject({ rev: 3, parked: 1 });
    expect(await parkedKeys.read({ ...partition, parkedKey: key })).toMatchObject({ tail: 7, rev: 0 });
  });

  clause('raises no tail of a key that is not parked', async () => {
    const { ledger, parkedKeys } = await open();
    const partition = newPartition();
    const key = newId('key');
    await ledger.claim(claimBy(partition, 'a'));

    expect(await ledger.write(parking(partition, [grows(key, 2, 2)]))).toMatchObject({ type: 'cancelled' });
    expect(await ledger.read(partition)).not.toHaveProperty('parked');
    expect(await parkedKeys.list(partition)).toEqual(new Map());
  });

  clause('shows a repetition of what was applied by the revision, whatever the parked key says', async () => {
    const { ledger } = await open();
    const partition = newPartition();
    const request = parking(partition, [parksOf(newId('key'))]);
    await ledger.claim(claimBy(partition, 'a'));
    await ledger.write(request);

    expect(await ledger.write(request)).toMatchObject({ type: 'refused', item: { epoch: 1, rev: 2, parked: 1 } });
  });

  clause('keeps the count through every write, release and claim of the partition', async () => {
    const world = await open();
    const { ledger } = world;
    const { partition } = await withParkedKey(world);

    expect(await ledger.claim(claimBy(partition, 'b'))).toMatchObject({
      type: 'granted',
      item: { parked: 1, epoch: 2 },
    });
    await ledger.write(writeBy(partition, 'b', { epoch: 2, rev: 4, release: true }));

    expect(await ledger.read(partition)).toMatchObject({ rev: 5, parked: 1 });
  });

  clause('tells of keys what whoever parks must know, and lists all that are parked', async () => {
    const world = await open();
    const { partition, key, item } = await withParkedKey(world, 3);

    const looked = await world.parkedKeys.look(partition, [newId('free'), key]);

    expect([...looked]).toEqual([[key, { sequence: 's1', tail: 3, settled: 0 }]]);
    expect(await world.parkedKeys.list(partition)).toEqual(new Map([[key, item]]));
  });

  clause('claims a parked key under the next epoch of its partition, which nobody holds then', async () => {
    const world = await open();
    const { ledger, parkedKeys } = world;
    const { partition, place, item, whole } = await withParkedKey(world);

    const answer = await parkedKeys.claim(claimOf(place, { partition: whole, item }));

    const claimed = { ...item, epoch: 2, rev: 1, owner: 'r', leaseUntil: LEASED };
    const claims = [{ owner: 'r', offsets: [{ from: 1, to: 1 }] }];
    expect(answer).toEqual({ type: 'granted', item: { ...claimed, claims } });
    expect(await parkedKeys.read(place)).toEqual({ ...claimed, claims });
    expect(await ledger.read(partition)).toEqual({ ...whole, epoch: 2, rev: 4 });
  });

  clause('leaves what a dead invocation had claimed to the next claim of the partition', async () => {
    const world = await open();
    const { ledger, parkedKeys } = world;
    const { partition, place, item } = await withParkedKey(world);
    await ledger.claim(claimBy(partition, 'b', { offsets: [{ from: 20, to: 29 }] }));
    const whole = (await ledger.read(partition)) as PartitionItem;

    await parkedKeys.claim(claimOf(place, { partition: whole, item }, { now: LEASED + 1, leaseUntil: LEASED + 9_000 }));

    const after = await ledger.read(partition);
    expect(after).toMatchObject({ epoch: 3, claims: [{ owner: 'b', offsets: [{ from: 20, to: 29 }] }] });
    expect(after).not.toHaveProperty('owner');
    expect(await ledger.write(writeBy(partition, 'b', { epoch: 2, rev: 4 }))).toMatchObject({ type: 'refused' });
  });

  clause('grants no claim while somebody holds the partition or the key, nor over what was not seen', async () => {
    const world = await open();
    const { ledger, parkedKeys } = world;
    const { partition, place, item, whole } = await withParkedKey(world);
    const refused = { type: 'refused' };
    const stale = { partition: { ...whole, epoch: 0 }, item };

    expect(await parkedKeys.claim(claimOf(place, stale))).toEqual(refused);
    expect(await parkedKeys.claim(claimOf(place, { partition: whole, item: { ...item, sequence: 's0' } }))).toEqual(
      refused,
    );
    await ledger.claim(claimBy(partition, 'b'));
    const held = (await ledger.read(partition)) as PartitionItem;
    expect(await parkedKeys.claim(claimOf(place, { partition: held, item }))).toEqual(refused);
    await ledger.write(writeBy(partition, 'b', { epoch: 2, rev: 4, release: true }));
    const free = (await ledger.read(partition)) as PartitionItem;
    expect(await parkedKeys.claim(claimOf(place, { partition: free, item }))).toMatchObject({ type: 'granted' });
    const again = (await ledger.read(partition)) as PartitionItem;
    const now = (await parkedKeys.read(place)) as ParkedItem;
    expect(await parkedKeys.claim(claimOf(place, { partition: again, item: now }))).toEqual(refused);
  });

  clause('makes no item for a key that is not parked', async () => {
    const world = await open();
    const { partition, item, whole } = await withParkedKey(world);
    const place = { ...partition, parkedKey: newId('never') };

    expect(await world.parkedKeys.claim(claimOf(place, { partition: whole, item }))).toEqual({ type: 'refused' });
    expect(await world.parkedKeys.read(place)).toBeUndefined();
  });

  clause('writes the part of a parked key that a release has, and leaves the other', async () => {
    const world = await open();
    const { ledger, parkedKeys, effect, hasEffect } = world;
    const { partition, key, place, item, whole } = await withParkedKey(world, 2);
    await parkedKeys.claim(claimOf(place, { partition: whole, item }));
    const debit = newId('debit');

    const first = await ledger.write(releasing(place, { effects: [effect(debit)] }));
    await ledger.claim(claimBy(partition, 'b'));
    await ledger.write(parking(partition, [grows(key, 3, 4)], { owner: 'b', epoch: 3, rev: 5 }));
    const second = await ledger.write(releasing(place, { rev: 2, release: true }));

    expect([first, second]).toEqual([{ type: 'written' }, { type: 'written' }]);
    expect(await hasEffect(debit)).toBe(true);
    const after = await parkedKeys.read(place);
    expect(after).toMatchObject({ sequence: 's1', tail: 4, ...SINCE, epoch: 2, rev: 3, claims: [] });
    expect(after?.progress.settled).toEqual([{ from: 1, to: 1 }]);
  });

  clause('refuses a write of a parked key under another sequence, epoch, owner or revision', async () => {
    const world = await open();
    const { ledger, parkedKeys } = world;
    const { place, item, whole } = await withParkedKey(world);
    await parkedKeys.claim(claimOf(place, { partition: whole, item }));

    for (const change of [{ sequence: 's0' }, { epoch: 1 }, { owner: 'x' }, { rev: 0 }]) {
      expect(await ledger.write(releasing(place, change))).toMatchObject({ type: 'refused' });
      const frees = { tail: 1 };
      expect(await ledger.write(releasing(place, { ...change, release: true, frees }))).toMatchObject({
        type: 'refused',
      });
    }
    expect(await parkedKeys.read(place)).toMatchObject({ rev: 1, progress: { settled: [] } });
  });

  clause('frees a key, and counts it no more', async () => {
    const world = await open();
    const { ledger, parkedKeys } = world;
    const { partition, place, item, whole } = await withParkedKey(world);
    await parkedKeys.claim(claimOf(place, { partition: whole, item }));
    const request = releasing(place, { release: true, frees: { tail: 1 } });

    expect(await ledger.write(request)).toEqual({ type: 'written' });

    expect(await parkedKeys.read(place)).toBeUndefined();
    expect(await parkedKeys.list(partition)).toEqual(new Map());
    const after = await ledger.read(partition);
    expect(after).toMatchObject({ epoch: 2, rev: 4 });
    expect(after).not.toHaveProperty('parked');
    expect(await ledger.write(request)).toEqual({ type: 'refused', item: undefined });
    expect(await ledger.read(partition)).toEqual(after);
  });

  clause('frees a key while somebody holds the partition, and no key whose tail has grown', async () => {
    const world = await open();
    const { ledger, parkedKeys } = world;
    const { partition, key, place, item, whole } = await withParkedKey(world);
    await parkedKeys.claim(claimOf(place, { partition: whole, item }));
    await ledger.claim(claimBy(partition, 'b'));
    await ledger.write(parking(partition, [grows(key, 2, 2)], { owner: 'b', epoch: 3, rev: 5 }));

    expect(await ledger.write(releasing(place, { release: true, frees: { tail: 1 } }))).toMatchObject({
      type: 'cancelled',
      reasons: [{ index: -1 }],
    });
    expect(await ledger.read(partition)).toMatchObject({ parked: 1 });

    expect(await ledger.write(releasing(place, { release: true, frees: { tail: 2 } }))).toEqual({ type: 'written' });
    const after = await ledger.read(partition);
    expect(after).toMatchObject({ epoch: 3, rev: 6, owner: 'b' });
    expect(after).not.toHaveProperty('parked');
  });

  clause('parks a key again under another sequence once it was freed', async () => {
    const world = await open();
    const { ledger, parkedKeys } = world;
    const { partition, key, place, item, whole } = await withParkedKey(world);
    await parkedKeys.claim(claimOf(place, { partition: whole, item }));
    await ledger.write(releasing(place, { release: true, frees: { tail: 1 } }));
    await ledger.claim(claimBy(partition, 'b'));

    await ledger.write(parking(partition, [parksOf(key, { sequence: 's2' })], { owner: 'b', epoch: 3, rev: 5 }));

    expect(await parkedKeys.read(place)).toMatchObject({ sequence: 's2', tail: 1, epoch: 3, rev: 0 });
    expect(await ledger.read(partition)).toMatchObject({ parked: 1 });
    // What the release of the sequence before still sends.
    expect(await ledger.write(releasing(place))).toEqual({ type: 'refused', item: undefined });
  });

  clause('takes 49 new keys and 49 known ones in one transaction', async () => {
    const { ledger, parkedKeys } = await open();
    const partition = newPartition();
    const known = Array.from({ length: 49 }, () => newId('known'));
    const fresh = Array.from({ length: 49 }, () => newId('fresh'));
    await ledger.claim(claimBy(partition, 'a'));
    await ledger.write(
      parking(
        partition,
        known.map((key) => parksOf(key)),
      ),
    );

    const park = [...fresh.map((key) => parksOf(key)), ...known.map((key) => grows(key, 2, 2))];
    expect(await ledger.write(parking(partition, park, { rev: 2 }))).toEqual({ type: 'written' });

    expect(await ledger.read(partition)).toMatchObject({ parked: 98 });
    expect(await parkedKeys.look(partition, [...fresh, ...known])).toHaveProperty('size', 98);
    expect(await parkedKeys.list(partition)).toHaveProperty('size', 98);
  });
}
