import type { EpochMs, Offset } from '../record/units.ts';
import type { OriginalRangeReader } from './original-reader.ts';

/** What a partition holds. */
export interface PartitionBounds {
  readonly partition: number;
  /** The first offset that is still held. */
  readonly start: Offset;
  /** One past the last offset that was written. */
  readonly end: Offset;
}

/** Topics as operators and the relay see them: what they hold, and how far a group has come. Reads committed transactions only. */
export interface TopicLog extends OriginalRangeReader {
  /** Of every partition, by number. @throws LockstepError BROKER_UNREACHABLE or ORIGINAL_UNREADABLE */
  bounds(topic: string, giveUpAt: EpochMs): Promise<readonly PartitionBounds[]>;
  /** What the group has committed, by partition; absent where it has committed nothing. @throws as `bounds` */
  committed(group: string, topic: string, giveUpAt: EpochMs): Promise<ReadonlyMap<number, Offset>>;
  /** Groups that have committed offsets of the topic, as far as the caller may see groups. @throws as `bounds` */
  groups(topic: string, giveUpAt: EpochMs): Promise<readonly string[]>;
}
