import type { EpochMs } from '../record/units.ts';
import type { RecordHeader } from './dead-letter-publisher.ts';

/** A record for another topic. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** Produces the records that handlers send. */
export interface RecordProducer {
  /**
   * Resolves when all in-sync replicas have every record. When it rejects, some records may have been written.
   *
   * @throws LockstepError BROKER_UNREACHABLE when not all records were acknowledged by `giveUpAt`, for a reason that may pass.
   * The record that they come from has no attempt counted.
   * @throws LockstepError PRODUCE_FAILED when another try cannot help: too large, no such topic, no permission. Like any other
   * error it counts as a failed attempt of that record.
   */
  produce(records: readonly OutgoingRecord[], giveUpAt: EpochMs): Promise<void>;
}
