import { type Park, parkedKeyIn } from '../decide/parking.ts';
import { FRESH_PROGRESS, type ParkedItem, type PartitionItem } from '../decide/progress.ts';
import {
  type ClaimAnswer,
  type ClaimRequest,
  type EffectRefusal,
  type KeyCompletion,
  type LedgerStore,
  MAX_CLAIMS,
  type WriteAnswer,
  type WriteRequest,
} from '../ports/ledger-store.ts';
import type { ParkedKeys } from '../ports/parked-keys.ts';
import { keyTakenOver } from '../ports/store-error.ts';
import { type LedgerPartition, ledgerKey, parkedKeysKey } from '../record/item-identifier.ts';
import { NO_OFFSETS } from '../record/offset-ranges.ts';
import type { TransactAction } from '../transact-action.ts';
import type { FakeIdempotencyKeyStore } from './fake-idempotency-key-store.ts';

/** Options of the fake that the port does not have. */
export interface FakeLedgerOptions {
  /** The store in which writes complete idempotency keys. Only writes with `completions` need it. */
  readonly keys?: FakeIdempotencyKeyStore;
  /** Decides whether the condition of an effect fails. @default no condition fails */
  readonly refuseEffect?: (
    effect: TransactAction,
    committed: readonly TransactAction[],
  ) => Omit<EffectRefusal, 'index'> | undefined;
  /** Called with each change of an item, before its answer. */
  readonly onChange?: (partition: LedgerPartition, before: PartitionItem | undefined, after: PartitionItem) => void;
  /** The same of the item of a parked key; `after` is absent where the key is free now. */
  readonly onParked?: (
    partition: LedgerPartition,
    before: ParkedItem | undefined,
    after: ParkedItem | undefined,
  ) => void;
}

/** A ledger in memory. */
export interface FakeLedgerStore extends LedgerStore {
  /** Effects in the order in which they were committed. */
  readonly effects: readonly TransactAction[];
  /** The item now, without a promise. */
  peek(partition: LedgerPartition): PartitionItem | undefined;
  /** Its parked keys. */
  readonly parkedKeys: ParkedKeys;
  /** The items of the parked keys of a partition now, without a promise. */
  peekParked(partition: LedgerPartition): readonly ParkedItem[];
  /** Hashes of the parked keys of a partition. */
  peekParkedNames(partition: LedgerPartition): readonly string[];
  /** Sets or removes an item, as an operator would. */
  place(partition: LedgerPartition, item: PartitionItem | undefined): void;
}

/**
 * A ledger in memory with the port's exact semantics, as the contract suite shows. A request takes effect during the call, so
 * that simulations decide the order. Items are immutable and are returned without a copy.
 */
export function fakeLedgerStore({ keys, refuseEffect, onChange, onParked }: FakeLedgerOptions = {}): FakeLedgerStore {
  const items = new Map<string, PartitionItem>();
  const parkedItems = new Map<string, ParkedItem>();
  const effects: TransactAction[] = [];

  const change = (partition: LedgerPartition, before: PartitionItem | undefined, after: PartitionItem) => {
    items.set(ledgerKey(partition), after);
    onChange?.(partition, before, after);
  };

  const changeParked = (partition: LedgerPartition, after: ParkedItem | undefined) => {
    const before = parkedItems.get(ledgerKey(partition));
    if (after === undefined) parkedItems.delete(ledgerKey(partition));
    else parkedItems.set(ledgerKey(partition), after);
    onParked?.(partition, before, after);
  };

  const parkedIn = (partition: LedgerPartition): [LedgerPartition, ParkedItem][] => {
    const prefix = `${parkedKeysKey(partition)}#`;
    return [...parkedItems].flatMap(([key, item]) =>
      key.startsWith(prefix) ? [[{ ...partition, parkedKey: key.slice(prefix.length) }, item]] : [],
    );
  };

  /** Whether the item of a key is there as it is expected. */
  const mayPark = (partition: LedgerPartition, { key, sequence, from, created }: Park) => {
    const item = parkedItems.get(ledgerKey({ ...partition, parkedKey: key }));
    return created === undefined ? item?.sequence === sequence && item.tail === from - 1 : item === undefined;
  };

  const park = (partition: LedgerPartition, { key, sequence, to, created }: Park, epoch: number) => {
    const place = { ...partition, parkedKey: key };
    const known = parkedItems.get(ledgerKey(place));
    if (created === undefined && known !== undefined) changeParked(place, { ...known, tail: to });
    if (created === undefined) return;
    const progress = FRESH_PROGRESS;
    changeParked(place, { epoch, rev: 0, leaseUntil: 0, claims: [], progress, sequence, tail: to, ...created });
  };

  const writeParked = (request: WriteRequest): WriteAnswer => {
    const { partition, epoch, owner, rev, sequence, frees, effects: wanted = [], completions = [] } = request;
    const before = parkedItems.get(ledgerKey(partition));
    if (before === undefined || before.sequence !== sequence) return { type: 'refused', item: undefined };
    const isOurs = before.epoch === epoch && before.owner === owner && before.rev === rev;
    if (!isOurs) return { type: 'refused', item: before };
    const taken = completions.find((completion) => !holds(keys, completion));
    if (taken !== undefined) throw keyTakenOver(taken.item.position);
    if (frees !== undefined && before.tail !== frees.tail)
      return { type: 'cancelled', reasons: [{ index: -1, ...CONDITION_FAILED }] };
    const reasons = refusals(wanted);
    if (reasons.length > 0) return { type: 'cancelled', reasons };
    void keys?.complete(completions);
    for (const effect of wanted) effects.push(effect);
    if (frees === undefined) {
      const { since, behind, fingerprint, key, tail } = before;
      changeParked(partition, {
        ...written(request),
        sequence: before.sequence,
        since,
        behind,
        fingerprint,
        key,
        tail,
      });
      return { type: 'written' };
    }
    const { parkedKey: _, ...whole } = partition;
    const item = items.get(ledgerKey(whole));
    if (item !== undefined) items.set(ledgerKey(whole), withParked(item, (item.parked ?? 0) - 1));
    changeParked(partition, undefined);
    return { type: 'written' };
  };

  const refusals = (wanted: readonly TransactAction[]) =>
    wanted.flatMap((effect, index): EffectRefusal[] => {
      const refusal = refuseEffect?.(effect, effects);
      return refusal === undefined ? [] : [{ index, ...refusal }];
    });

  return {
    effects,
    peek: (partition) => items.get(ledgerKey(partition)),
    peekParkedNames: (partition) => parkedIn(partition).map(([{ parkedKey = '' }]) => parkedKey),
    peekParked: (partition) => parkedIn(partition).map(([, item]) => item),
    parkedKeys: {
      async look(partition, wanted) {
        const found = wanted.flatMap((key) => {
          const item = parkedItems.get(ledgerKey({ ...partition, parkedKey: key }));
          return item === undefined ? [] : [[key, parkedKeyIn(item)] as const];
        });
        return new Map(found);
      },
      list: async (partition) => new Map(parkedIn(partition).map(([place, item]) => [place.parkedKey ?? '', item])),
      read: async (partition) => parkedItems.get(ledgerKey(partition)),
      async claim({ partition, owner, now, leaseUntil, offsets, seen }) {
        const { parkedKey: _, ...whole } = partition;
        const item = parkedItems.get(ledgerKey(partition));
        const held = items.get(ledgerKey(whole));
        if (item === undefined || held === undefined) return { type: 'refused' };
        const isAsSeen = item.sequence === seen.item.sequence && item.rev === seen.item.rev;
        const isUntouched = held.epoch === seen.partition.epoch && held.rev === seen.partition.rev;
        if (!isAsSeen || !isUntouched || !isFree(item, now) || !isFree(held, now)) return { type: 'refused' };
        const epoch = held.epoch + 1;
        const { owner: __, ...free } = held;
        change(whole, held, { ...free, epoch, rev: held.rev + 1 });
        const after = { ...item, ...claimed(item, { owner, leaseUntil, offsets }), epoch };
        changeParked(partition, after);
        return { type: 'granted', item: after };
      },
    },
    place(partition, item) {
      if (item === undefined) items.delete(ledgerKey(partition));
      else items.set(ledgerKey(partition), item);
    },
    async claim(request): Promise<ClaimAnswer> {
      const before = items.get(ledgerKey(request.partition));
      if (before?.owner !== undefined && before.leaseUntil >= request.now) return { type: 'refused', item: before };
      const item = claimed(before, request);
      change(request.partition, before, item);
      return { type: 'granted', item };
    },
    async write(request): Promise<WriteAnswer> {
      if (request.partition.parkedKey !== undefined) return writeParked(request);
      const before = items.get(ledgerKey(request.partition));
      const { epoch, owner, rev } = request;
      if (before === undefined || before.epoch !== epoch || before.owner !== owner || before.rev !== rev)
        return { type: 'refused', item: before };
      const { completions = [], effects: wanted = [], park: parks = [] } = request;
      const taken = completions.find((completion) => !holds(keys, completion));
      if (taken !== undefined) throw keyTakenOver(taken.item.position);
      const unparked = parks.flatMap((one, index): EffectRefusal[] =>
        mayPark(request.partition, one) ? [] : [{ index: index - parks.length, ...CONDITION_FAILED }],
      );
      const reasons = [...unparked, ...refusals(wanted)];
      if (reasons.length > 0) return { type: 'cancelled', reasons };
      void keys?.complete(completions);
      effects.push(...wanted);
      for (const one of parks) park(request.partition, one, epoch);
      const created = parks.filter((one) => one.created !== undefined).length;
      change(request.partition, before, withParked(written(request), (before.parked ?? 0) + created));
      return { type: 'written' };
    },
    async read(partition) {
      return (partition.parkedKey === undefined ? items : parkedItems).get(ledgerKey(partition));
    },
  };
}

const CONDITION_FAILED = { code: 'ConditionalCheckFailed', text: 'The conditional request failed' };

function isFree({ owner, leaseUntil }: PartitionItem, now: number): boolean {
  return owner === undefined || leaseUntil < now;
}

function withParked({ parked: _, ...item }: PartitionItem, parked: number): PartitionItem {
  return parked > 0 ? { ...item, parked } : item;
}

function holds(keys: FakeIdempotencyKeyStore | undefined, { key, item }: KeyCompletion): boolean {
  if (keys === undefined) throw new TypeError('a write with completions needs fakeLedgerStore({ keys })');
  const holder = keys.items.get(key)?.claimedBy;
  return holder?.ledgerKey === item.claimedBy.ledgerKey && holder.epoch === item.claimedBy.epoch;
}

function claimed(
  before: PartitionItem | undefined,
  { owner, leaseUntil, offsets, first }: Pick<ClaimRequest, 'owner' | 'leaseUntil' | 'offsets' | 'first'>,
): PartitionItem {
  const others = before?.claims ?? [];
  const claim = { owner, offsets, ...(first !== undefined && { first }) };
  return {
    epoch: (before?.epoch ?? 0) + 1,
    rev: (before?.rev ?? 0) + 1,
    owner,
    leaseUntil,
    claims: [...others, others.length < MAX_CLAIMS ? claim : { owner, offsets: NO_OFFSETS }],
    progress: before?.progress ?? FRESH_PROGRESS,
    ...(before?.parked !== undefined && { parked: before.parked }),
  };
}

function written({ epoch, owner, rev, progress, leaseUntil, claimed, release }: WriteRequest): PartitionItem {
  const common = { epoch, rev: rev + 1, leaseUntil, progress };
  return release ? { ...common, claims: [] } : { ...common, owner, claims: [{ owner, offsets: claimed }] };
}
