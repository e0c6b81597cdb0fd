import type { EpochMs } from '../record/units.ts';
import type { RecordHeader } from './dead-letter-publisher.ts';

/** A record for another topic. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** Produces records that handlers pass on. */
export interface RecordProducer {
  /**
   * Resolves when all in-sync replicas have every record.
   * @throws LockstepError BROKER_UNREACHABLE when not all were acknowledged by `giveUpAt`, for whatever passes by itself: no
   *   attempt of the record that they come from is counted
   * @throws LockstepError PRODUCE_FAILED when trying again cannot mend it: too large, no such topic, no right; as anything else
   *   that is thrown, it counts as that record's failure
   * In both cases some may have been written all the same.
   */
  produce(records: readonly OutgoingRecord[], giveUpAt: EpochMs): Promise<void>;
}
