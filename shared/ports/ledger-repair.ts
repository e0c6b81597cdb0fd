import type { LedgerPartition } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';
import type { TransactAction } from '../transact-action.ts';

/** The readable part of an item that cannot be read as a whole. */
export interface BrokenItem<Seen = unknown> {
  /** Which part of it cannot be read. */
  readonly why: string;
  /** Absent where it is not a number any more. */
  readonly epoch?: number;
  /** Until when an invocation may hold the partition; absent where none does, or where the item does not say. */
  readonly heldUntil?: EpochMs;
  /** The store's own copy of the item, to see whether it has changed. */
  readonly seen: Seen;
}

/** Replaces items that this code cannot read. They cannot be claimed any more. */
export interface LedgerRepair<Seen = unknown> {
  /** `undefined` where the item can be read, or there is none. @throws StoreError */
  look(partition: LedgerPartition): Promise<BrokenItem<Seen> | undefined>;
  /**
   * Replaces the item with an empty, released one under `epoch`, if it has not changed since it was read.
   *
   * @returns whether it was replaced
   */
  replace(
    partition: LedgerPartition,
    broken: BrokenItem<Seen>,
    epoch: number,
    now: EpochMs,
    effects: readonly TransactAction[],
  ): Promise<boolean>;
}
