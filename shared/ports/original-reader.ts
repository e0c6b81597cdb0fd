import type { Position, TopicPartition } from '../record/item-identifier.ts';
import type { OffsetRange } from '../record/offset-ranges.ts';
import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs, Offset } from '../record/units.ts';

/** A record as the broker holds it, before the mapping changed anything. */
export interface OriginalBytes {
  readonly key: Buffer | null;
  /** `null` for a tombstone. */
  readonly value: Buffer | null;
  /** In order, duplicates kept. */
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

/**
 * `expired`: below the first offset that the partition still holds. `absent`: at or above it, with no committed record there.
 * It was compacted away, is a transaction marker, was aborted, or is not written yet.
 */
export type OriginalRecord =
  | { readonly type: 'found'; readonly record: OriginalBytes }
  | { readonly type: 'expired'; readonly logStart: Offset }
  | { readonly type: 'absent' };

/** A record that was read back, and its offset. */
export interface OriginalRecordAt {
  readonly offset: Offset;
  readonly record: OriginalBytes;
}

/** A slice of a range. Offsets below `logStart` have expired. Any other offset below `next` without a record is absent. */
export interface OriginalSlice {
  /** In offset order. */
  readonly records: readonly OriginalRecordAt[];
  /** Where to continue, always beyond the slice's start. Beyond the end of the range when all of it was read. */
  readonly next: Offset;
  readonly logStart: Offset;
}

/** A slice of a range that is read from front to back. */
export interface PassingSlice {
  /** In offset order. Each record is made when it is asked for. Its bytes are views of a whole batch: copy what you keep. */
  readonly records: Iterable<OriginalRecordAt>;
  /** Everything below it has been read. */
  readonly next: Offset;
}

/** Reads records back from Kafka by offset. Reads committed transactions only. */
export interface OriginalReader {
  /** @throws when the broker did not answer by `giveUpAt`. Then nothing is known of the record. */
  read(position: Position, giveUpAt: EpochMs): Promise<OriginalRecord>;
  /** Closes connections. The next `read` connects again. Never rejects. */
  disconnect(): Promise<void>;
}

/** Reads whole ranges back, one slice at a time. The relay needs it for offsets that Lambda has lost. */
export interface OriginalRangeReader extends OriginalReader {
  /**
   * The beginning of the range, as much as one answer of the broker holds (some megabytes).
   *
   * @throws when the broker did not answer by `giveUpAt`
   */
  readRange(partition: TopicPartition, range: OffsetRange, giveUpAt: EpochMs): Promise<OriginalSlice>;
  /**
   * A whole range from front to back, one record batch unpacked at a time. Read each slice before you ask for the next.
   *
   * @throws as `readRange`
   */
  passThrough(partition: TopicPartition, range: OffsetRange, giveUpAt: EpochMs): AsyncIterable<PassingSlice>;
}
