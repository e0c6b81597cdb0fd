import type { DeadLetter } from '../decide/dead-letter.ts';
import type { EpochMs } from '../record/units.ts';

export type { DeadLetter } from '../decide/dead-letter.ts';
export type { RecordHeader } from '../record/record-headers.ts';

/** Writes dead letters to the dead-letter topic. */
export interface DeadLetterPublisher {
  /**
   * Resolves when all in-sync replicas have the dead letter. It goes to the partition with its origin's number, if the topic
   * has that.
   *
   * @throws when it was not acknowledged by `giveUpAt`. It may have been written all the same.
   */
  publish(letter: DeadLetter, giveUpAt: EpochMs): Promise<void>;
  /** Closes connections. The next `publish` connects again. Never rejects. */
  disconnect(): Promise<void>;
}
