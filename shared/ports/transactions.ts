import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs } from '../record/units.ts';

/** A record of a transaction, for a partition that the caller chooses. */
export interface TransactionRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

/**
 * Writes records in transactions: readers of committed records see all records of a transaction or none, and only one writer of
 * a transactional id can write.
 */
export interface Transactions {
  /**
   * From now on an earlier writer cannot commit any more, and its open transaction is decided: committed or rolled back.
   *
   * @throws LockstepError BROKER_UNREACHABLE, REDRIVE_FAILED
   */
  takeOver(): Promise<void>;
  /**
   * Resolves when all records are committed.
   *
   * @throws LockstepError REDRIVE_FENCED when another writer has taken over: nothing was written.
   * @throws LockstepError REDRIVE_FAILED when it is not known: the next `takeOver` decides whether it was committed.
   */
  commit(records: readonly TransactionRecord[]): Promise<void>;
  /** Never rejects. */
  disconnect(): Promise<void>;
}
