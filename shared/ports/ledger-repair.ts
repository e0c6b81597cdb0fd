import type { LedgerPartition } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';
import type { TransactAction } from '../transact-action.ts';

/** What can be read of an item that cannot be read as a whole. */
export interface BrokenItem<Seen = unknown> {
  /** What of it cannot be read. */
  readonly why: string;
  /** Absent where it is no number any more. */
  readonly epoch?: number;
  /** Until when somebody may hold the partition; absent where nobody does, or nothing says so. */
  readonly heldUntil?: EpochMs;
  /** The store's own, to tell whether the item is still the same. */
  readonly seen: Seen;
}

/** Replaces items that this code cannot read: nobody can claim them any more. */
export interface LedgerRepair<Seen = unknown> {
  /** `undefined` where the item can be read, or there is none. @throws StoreError */
  look(partition: LedgerPartition): Promise<BrokenItem<Seen> | undefined>;
  /**
   * Puts an item without memory in its place, released, under `epoch`, if it is still the one that was looked at.
   *
   * @returns whether it was
   */
  replace(
    partition: LedgerPartition,
    broken: BrokenItem<Seen>,
    epoch: number,
    now: EpochMs,
    effects: readonly TransactAction[],
  ): Promise<boolean>;
}
