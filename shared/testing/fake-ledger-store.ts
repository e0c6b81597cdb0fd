import { FRESH_PROGRESS, type PartitionItem } from '../decide/progress.ts';
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
import { keyTakenOver } from '../ports/store-error.ts';
import { type LedgerPartition, ledgerKey } from '../record/item-identifier.ts';
import { NO_OFFSETS } from '../record/offset-ranges.ts';
import type { TransactAction } from '../transact-action.ts';
import type { FakeIdempotencyKeyStore } from './fake-idempotency-key-store.ts';

/** What a test may ask of the fake besides the port. */
export interface FakeLedgerOptions {
  /** Where writes complete idempotency keys; needed only for writes with `completions`. */
  readonly keys?: FakeIdempotencyKeyStore;
  /** Stands for the conditions of effects. @default every effect is accepted */
  readonly refuseEffect?: (
    effect: TransactAction,
    committed: readonly TransactAction[],
  ) => Omit<EffectRefusal, 'index'> | undefined;
  /** Called with each change of an item, before its answer. */
  readonly onChange?: (partition: LedgerPartition, before: PartitionItem | undefined, after: PartitionItem) => void;
}

/** A ledger in memory. */
export interface FakeLedgerStore extends LedgerStore {
  /** Effects in the order in which they were committed. */
  readonly effects: readonly TransactAction[];
  /** The item now, without a promise. */
  peek(partition: LedgerPartition): PartitionItem | undefined;
  /** Puts an item there, or takes it away, as an operator would. */
  place(partition: LedgerPartition, item: PartitionItem | undefined): void;
}

/**
 * A ledger in memory with the port's exact semantics, as the contract suite shows. A request takes effect at the moment of the
 * call, so that simulations decide the order; items are immutable values and are handed out as they are, never copied.
 */
export function fakeLedgerStore({ keys, refuseEffect, onChange }: FakeLedgerOptions = {}): FakeLedgerStore {
  const items = new Map<string, PartitionItem>();
  const effects: TransactAction[] = [];

  const change = (partition: LedgerPartition, before: PartitionItem | undefined, after: PartitionItem) => {
    items.set(ledgerKey(partition), after);
    onChange?.(partition, before, after);
  };

  const refusals = (wanted: readonly TransactAction[]) =>
    wanted.flatMap((effect, index): EffectRefusal[] => {
      const refusal = refuseEffect?.(effect, effects);
      return refusal === undefined ? [] : [{ index, ...refusal }];
    });

  return {
    effects,
    peek: (partition) => items.get(ledgerKey(partition)),
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
      const before = items.get(ledgerKey(request.partition));
      const { epoch, owner, rev } = request;
      if (before === undefined || before.epoch !== epoch || before.owner !== owner || before.rev !== rev)
        return { type: 'refused', item: before };
      const { completions = [], effects: wanted = [] } = request;
      const taken = completions.find((completion) => !holds(keys, completion));
      if (taken !== undefined) throw keyTakenOver(taken.item.position);
      const reasons = refusals(wanted);
      if (reasons.length > 0) return { type: 'cancelled', reasons };
      void keys?.complete(completions);
      effects.push(...wanted);
      change(request.partition, before, written(request));
      return { type: 'written' };
    },
    async read(partition) {
      return items.get(ledgerKey(partition));
    },
  };
}

function holds(keys: FakeIdempotencyKeyStore | undefined, { key, item }: KeyCompletion): boolean {
  if (keys === undefined) throw new TypeError('a write with completions needs fakeLedgerStore({ keys })');
  const holder = keys.items.get(key)?.claimedBy;
  return holder?.ledgerKey === item.claimedBy.ledgerKey && holder.epoch === item.claimedBy.epoch;
}

function claimed(
  before: PartitionItem | undefined,
  { owner, leaseUntil, offsets, first }: ClaimRequest,
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
  };
}

function written({ epoch, owner, rev, progress, leaseUntil, claimed, release }: WriteRequest): PartitionItem {
  const common = { epoch, rev: rev + 1, leaseUntil, progress };
  return release ? { ...common, claims: [] } : { ...common, owner, claims: [{ owner, offsets: claimed }] };
}
