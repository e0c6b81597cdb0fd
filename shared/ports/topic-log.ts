import type { EpochMs, Offset } from '../record/units.ts';
import type { OriginalRangeReader } from './original-reader.ts';

/** What a partition holds. */
export interface PartitionBounds {
  readonly partition: number;
  /** The first offset that the partition still holds. */
  readonly start: Offset;
  /** One past the last written offset. */
  readonly end: Offset;
}

/**
 * Topics as operators and the relay see them: what they hold, and how far a group has read. Reads committed transactions only.
 */
export interface TopicLog extends OriginalRangeReader {
  /** The bounds of every partition, by number. @throws LockstepError BROKER_UNREACHABLE or ORIGINAL_UNREADABLE */
  bounds(topic: string, giveUpAt: EpochMs): Promise<readonly PartitionBounds[]>;
  /** The group's committed offsets, by partition; absent where it has committed none. @throws as `bounds` */
  committed(group: string, topic: string, giveUpAt: EpochMs): Promise<ReadonlyMap<number, Offset>>;
  /** Groups that have committed offsets of the topic, as far as the caller is allowed to see groups. @throws as `bounds` */
  groups(topic: string, giveUpAt: EpochMs): Promise<readonly string[]>;
}
