import { committedBatches } from '../../../shared/adapters/kafka-format/committed-batches.ts';
import type { FetchedPiece } from '../../../shared/adapters/kafka-format/fetched-piece.ts';
import { unpackBatch } from '../../../shared/adapters/kafka-format/record-batch.ts';
import { type EncodedRecord, encodeRecord, type RecordPrefix } from './encode-record.ts';
import type { RecordFilter } from './filter-pattern.ts';

/** What a piece gives from an offset on. */
export interface FetchedRecords {
  /** Those that pass the filter. */
  readonly records: readonly EncodedRecord[];
  /** Filtered ones included. */
  readonly polled: number;
  /** Where to go on: after markers, aborted and compacted records. */
  readonly next: number;
  /** Why the batch at `next` cannot be read; those before it were. */
  readonly error: unknown;
}

export async function fetchedRecords(
  { batches, aborted }: FetchedPiece,
  from: number,
  prefix: RecordPrefix,
  filter: RecordFilter,
): Promise<FetchedRecords> {
  const committed = new Set(committedBatches(batches, aborted));
  const records: EncodedRecord[] = [];
  let polled = 0;
  let next = from;
  for (const batch of batches) {
    if (batch.lastOffset < from) continue;
    try {
      if (committed.has(batch)) {
        const timestampType = batch.appendedAt === undefined ? 'CREATE_TIME' : 'LOG_APPEND_TIME';
        const ofBatch: EncodedRecord[] = [];
        let polledOfBatch = 0;
        for (const fetched of await unpackBatch(batch)) {
          if (fetched.offset < from) continue;
          polledOfBatch += 1;
          if (filter(fetched.record.value)) ofBatch.push(encodeRecord(prefix, fetched, timestampType));
        }
        // All records of a batch or none: reading starts again with a whole batch.
        for (const record of ofBatch) records.push(record);
        polled += polledOfBatch;
      }
    } catch (error) {
      return { records, polled, next, error };
    }
    next = batch.lastOffset + 1;
  }
  return { records, polled, next, error: undefined };
}
