import type { KeyItem } from '../decide/idempotency.ts';
import type { Park } from '../decide/parking.ts';
import type { PartitionItem, Progress, RecordIdentity } from '../decide/progress.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import type { OffsetRanges } from '../record/offset-ranges.ts';
import type { EpochMs } from '../record/units.ts';
import type { TransactAction } from '../transact-action.ts';

/**
 * How many claims an item keeps with their offsets, ours included. They fit with room to spare. A further claim is granted
 * without its offsets. Its holder writes before anything runs; that write moves the offsets of dead claims into the progress.
 */
export const MAX_CLAIMS = 4;

/** Asks to hold a partition. */
export interface ClaimRequest {
  readonly partition: LedgerPartition;
  /** Random for each invocation and partition. */
  readonly owner: string;
  readonly now: EpochMs;
  readonly leaseUntil: EpochMs;
  /** The delivered offsets of the batch. Empty for the relay and for operators, whose claims leave nothing pending. */
  readonly offsets: OffsetRanges;
  /** The first record of the batch, at the lowest of `offsets`. Kept with the claim until its next write. */
  readonly first?: RecordIdentity;
}

/**
 * `granted`: the new item. `refused`: the item as it stands, with another owner and a valid lease, or with ourselves as owner
 * (our claim was granted and its answer was lost).
 */
export type ClaimAnswer =
  | { readonly type: 'granted'; readonly item: PartitionItem }
  | { readonly type: 'refused'; readonly item: PartitionItem };

/** Writes the whole progress under a claim. */
export interface WriteRequest {
  readonly partition: LedgerPartition;
  readonly epoch: number;
  readonly owner: string;
  /** The revision that this write follows. The write makes `rev + 1`. */
  readonly rev: number;
  readonly progress: Progress;
  readonly leaseUntil: EpochMs;
  /** The unsettled offsets of our own batch, kept in `claims`. Ignored on release. */
  readonly claimed: OffsetRanges;
  /** Releases the partition: no owner, no claims. */
  readonly release: boolean;
  /** Effects that are committed in the same transaction. */
  readonly effects?: readonly TransactAction[];
  /**
   * Idempotency keys of the records that the effects belong to. They are completed in the same transaction. If `item.claimedBy`
   * does not hold one of them any more, the write fails for good.
   */
  readonly completions?: readonly KeyCompletion[];
  /** Keys that park, or get more records, in the same transaction; each key once. */
  readonly park?: readonly Park[];
  /** Some key of the partition is parked: code that knows of none must not claim it. */
  readonly hasParked?: boolean;
  /** Of a parked key: the one that was claimed; another's item is refused. */
  readonly sequence?: string;
  /** Of a parked key: deletes its item with the write, which gives it back, if its tail is still that. The key is free then. */
  readonly frees?: { readonly tail: number };
}

/** A key, and the item that completes it. */
export interface KeyCompletion {
  readonly key: string;
  readonly item: KeyItem;
}

/**
 * `refused`: epoch, owner, revision or sequence are not the caller's; with the item as it stands (absent: deleted, or of another sequence).
 * `cancelled`: the ledger's condition held, an effect's did not; by index into `effects`. Or that of a parked key, which has a
 * negative index: it was freed meanwhile, or its tail has grown.
 */
export type WriteAnswer =
  | { readonly type: 'written' }
  | { readonly type: 'refused'; readonly item: PartitionItem | undefined }
  | { readonly type: 'cancelled'; readonly reasons: readonly EffectRefusal[] };

/** Why an effect made its transaction fail. */
export interface EffectRefusal {
  /**
   * An index into `effects`. -1 where DynamoDB refused the transaction as a whole: an invalid expression, no such table, an
   * item named twice.
   */
  readonly index: number;
  /** DynamoDB's cancellation code, as `ConditionalCheckFailed`. */
  readonly code: string;
  readonly text: string;
}

/**
 * Keeps the progress of partitions. Every write after the claim is refused unless epoch, owner and revision are still the
 * caller's. Each call is one request. If it rejects, its fate is unknown: it may have been applied, or may still be. Then only
 * the very same request may be repeated. Reads are consistent.
 */
export interface LedgerStore {
  /**
   * Takes the next epoch if nobody holds the partition, or if its lease ended before `now`. Past {@link MAX_CLAIMS} it keeps no
   * offsets.
   */
  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  write(request: WriteRequest): Promise<WriteAnswer>;
  /** The item, `undefined` where there is none. */
  read(partition: LedgerPartition): Promise<PartitionItem | undefined>;
}
