import type { EpochMs } from '../record/units.ts';
import { differInValue } from '../record/value-hash.ts';
import type { PartitionItem } from './progress.ts';

/** Who holds a key: a partition item, under one of its epochs. */
export interface KeyHolder {
  /** The ledger key of the partition item. */
  readonly ledgerKey: string;
  readonly epoch: number;
}

/** The ledger's item of one idempotency key. */
export interface KeyItem {
  readonly status: 'IN_PROGRESS' | 'COMPLETED';
  /** `orders-3@1042`: the record that took the key. */
  readonly position: string;
  readonly claimedBy: KeyHolder;
  readonly valueHash: string;
  /** Epoch seconds; past it the item counts as absent, deleted or not. */
  readonly expiresAt: number;
}

/** What a key's item means for a record that carries the key. */
export type KeyState =
  /** Free, in the place of its item: expired, or claimed by our own partition under an earlier, dead epoch. */
  | { readonly type: 'free' }
  /** Ours already: a claim whose answer was lost. */
  | { readonly type: 'ours' }
  | { readonly type: 'duplicate' }
  /** COMPLETED by a record with another value. */
  | { readonly type: 'reused'; readonly by: string }
  /** In progress elsewhere: whether it lives must be looked up in the holder's partition item. */
  | { readonly type: 'held' };

/** The record that asks. */
export interface KeySeeker {
  readonly position: string;
  readonly valueHash: string;
  readonly holder: KeyHolder;
}

/** Judges a key's item without knowing its holder's lease. */
export function decideKey(item: KeyItem, seeker: KeySeeker, now: EpochMs): KeyState {
  if (item.expiresAt * 1_000 <= now) return { type: 'free' };
  if (item.status === 'COMPLETED') {
    return isSameValue(item, seeker) ? { type: 'duplicate' } : { type: 'reused', by: item.position };
  }
  if (item.claimedBy.ledgerKey !== seeker.holder.ledgerKey) return { type: 'held' };
  // Our own partition: we hold it now, so whoever claimed the key under another epoch is dead.
  if (item.claimedBy.epoch !== seeker.holder.epoch) return { type: 'free' };
  return item.position === seeker.position ? { type: 'ours' } : { type: 'held' };
}

/** The very record that completed the key may come back in another form of its value; of any other record that would be a guess. */
function isSameValue(item: KeyItem, { position, valueHash }: KeySeeker): boolean {
  return item.valueHash === valueHash || (item.position === position && !differInValue(item.valueHash, valueHash));
}

/** A key claim lives as long as its holder's partition item has that epoch and a living lease, not by a time of its own. */
export function isHolderAlive(holder: PartitionItem | undefined, { epoch }: KeyHolder, now: EpochMs): boolean {
  return holder !== undefined && holder.epoch === epoch && holder.owner !== undefined && holder.leaseUntil >= now;
}
