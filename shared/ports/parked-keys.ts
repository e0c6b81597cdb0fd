import type { ParkedKey } from '../decide/parking.ts';
import type { ParkedItem, PartitionItem } from '../decide/progress.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import type { ClaimRequest } from './ledger-store.ts';

/** Asks for a parked key: `partition` names it, `offsets` are the ordinals that are going to run. */
export interface ParkedClaimRequest extends Omit<ClaimRequest, 'first'> {
  /** Both items as they were read: neither may have changed since, and nobody may hold one. */
  readonly seen: { readonly partition: PartitionItem; readonly item: ParkedItem };
}

/** `refused`: one of the items has changed, or somebody holds it. Whether the claim is ours all the same a look at the item shows. */
export type ParkedClaimAnswer = { readonly type: 'granted'; readonly item: ParkedItem } | { readonly type: 'refused' };

/**
 * Parked keys, besides what `LedgerStore.write` does: with `park` it makes their items and raises their tails, with `sequence` it
 * writes one, with `frees` it deletes one. Each call is one request, as there; reads are consistent.
 */
export interface ParkedKeys {
  /** Those of `keys` that are parked, by the hundred. @throws StoreError: a key that was not looked at is not free */
  look(partition: LedgerPartition, keys: readonly string[]): Promise<ReadonlyMap<string, ParkedKey>>;
  /** Every parked key of a partition, by its hash. */
  list(partition: LedgerPartition): Promise<ReadonlyMap<string, ParkedItem>>;
  /** `undefined` where the key is not parked. */
  read(partition: LedgerPartition): Promise<ParkedItem | undefined>;
  /**
   * Takes the partition's next epoch for the key, and leaves the partition to nobody: an epoch only grows for a key, in and out of
   * releases. The item's sequence is the one that was seen.
   */
  claim(request: ParkedClaimRequest): Promise<ParkedClaimAnswer>;
}
