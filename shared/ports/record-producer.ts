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
   * @throws when not all were acknowledged by `giveUpAt`: some may have been written all the same
   */
  produce(records: readonly OutgoingRecord[], giveUpAt: EpochMs): Promise<void>;
}
