import type { Position, TopicPartition } from '../record/item-identifier.ts';
import type { OffsetRange } from '../record/offset-ranges.ts';
import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs, Offset } from '../record/units.ts';

/** What the broker holds of a record: its own bytes, whatever the mapping made of them. */
export interface OriginalBytes {
  readonly key: Buffer | null;
  /** `null` for a tombstone. */
  readonly value: Buffer | null;
  /** In order, duplicates kept. */
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

/**
 * `expired`: below the first offset that the partition still holds. `absent`: at or above it, and no committed record is there:
 * compacted away, a transaction marker, aborted, or not written yet.
 */
export type OriginalRecord =
  | { readonly type: 'found'; readonly record: OriginalBytes }
  | { readonly type: 'expired'; readonly logStart: Offset }
  | { readonly type: 'absent' };

/** A record read back, and where it was. */
export interface OriginalRecordAt {
  readonly offset: Offset;
  readonly record: OriginalBytes;
}

/** A slice of a range. What lies below `logStart` has expired; any other offset below `next` without a record is absent. */
export interface OriginalSlice {
  /** In offset order. */
  readonly records: readonly OriginalRecordAt[];
  /** Where to go on; beyond the end of the range when all of it was read. Always beyond its start. */
  readonly next: Offset;
  readonly logStart: Offset;
}

/** Part of a range on its way through. */
export interface PassingSlice {
  /** In offset order, each made when it is its turn. Its bytes are views of a whole batch's: what is kept longer must be copied. */
  readonly records: Iterable<OriginalRecordAt>;
  /** All below it has passed. */
  readonly next: Offset;
}

/** Reads records back from Kafka by offset, committed transactions only. */
export interface OriginalReader {
  /** @throws when the broker gave no answer by `giveUpAt`: nothing is known of the record then */
  read(position: Position, giveUpAt: EpochMs): Promise<OriginalRecord>;
  /** Ends connections; the next `read` connects again. Never rejects. */
  disconnect(): Promise<void>;
}

/** Reads whole ranges back, a slice at a time: what the relay needs for offsets that a mapping has lost. */
export interface OriginalRangeReader extends OriginalReader {
  /**
   * The beginning of the range, as much as one answer of the broker holds (some megabytes).
   * @throws when the broker gave no answer by `giveUpAt`
   */
  readRange(partition: TopicPartition, range: OffsetRange, giveUpAt: EpochMs): Promise<OriginalSlice>;
  /**
   * A whole range from front to back, one record batch unpacked at a time. To be consumed slice by slice, each before the next.
   * @throws as `readRange`
   */
  passThrough(partition: TopicPartition, range: OffsetRange, giveUpAt: EpochMs): AsyncIterable<PassingSlice>;
}
