import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs } from '../record/units.ts';

/** A record of a transaction, to a partition of its own choice. */
export interface TransactionRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

/** Writes records so that readers of committed ones see all of a commit or nothing, and only one writer of a name does. */
export interface Transactions {
  /**
   * From here on nobody who took over before can commit any more, and what they began is decided: committed or rolled back.
   *
   * @throws LockstepError BROKER_UNREACHABLE, REDRIVE_FAILED
   */
  takeOver(): Promise<void>;
  /**
   * Resolves when all is committed.
   *
   * @throws LockstepError REDRIVE_FENCED when somebody else has taken over: nothing was written. REDRIVE_FAILED: only the next
   *   `takeOver` decides whether it was
   */
  commit(records: readonly TransactionRecord[]): Promise<void>;
  /** Never rejects. */
  disconnect(): Promise<void>;
}
