import type { EpochMs } from '../record/units.ts';
import { differInValue } from '../record/value-hash.ts';
import type { PartitionItem } from './progress.ts';

/** Which partition item holds a key, and under which of its epochs. */
export interface KeyHolder {
  /** The key of the partition item in the ledger. */
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
  /** In epoch seconds. After it the item counts as absent, whether DynamoDB has deleted it or not. */
  readonly expiresAt: number;
}

/** What a key's item means for a record with that key. */
export type KeyState =
  /**
   * May be claimed in the place of its item: the item has expired, or our own partition claimed it under an earlier, dead
   * epoch.
   */
  | { readonly type: 'free' }
  /** Ours already: our claim was granted and its answer was lost. */
  | { readonly type: 'ours' }
  | { readonly type: 'duplicate' }
  /** Completed by a record with another value. */
  | { readonly type: 'reused'; readonly by: string }
  /** In progress elsewhere. Whether its holder is alive must be read from the holder's partition item. */
  | { readonly type: 'held' };

/** The record that wants the key. */
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
  // Our own partition: we held it later, so the invocation that claimed the key is dead. Under a later epoch it is alive, and we
  // are dead: our process stood still past its lease.
  if (item.claimedBy.epoch < seeker.holder.epoch) return { type: 'free' };
  if (item.claimedBy.epoch > seeker.holder.epoch) return { type: 'held' };
  return item.position === seeker.position ? { type: 'ours' } : { type: 'held' };
}

/**
 * Only the record that completed the key may come back in another form of its value. For any other record that would be a
 * guess.
 */
function isSameValue(item: KeyItem, { position, valueHash }: KeySeeker): boolean {
  return item.valueHash === valueHash || (item.position === position && !differInValue(item.valueHash, valueHash));
}

/**
 * A key claim is alive as long as the holder's partition item has the claim's epoch and a valid lease. It has no time of its
 * own.
 */
export function isHolderAlive(holder: PartitionItem | undefined, { epoch }: KeyHolder, now: EpochMs): boolean {
  return holder !== undefined && holder.epoch === epoch && holder.owner !== undefined && holder.leaseUntil >= now;
}
