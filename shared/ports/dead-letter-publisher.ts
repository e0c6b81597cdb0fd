import type { DeadLetter } from '../decide/dead-letter.ts';
import type { EpochMs } from '../record/units.ts';

export type { DeadLetter } from '../decide/dead-letter.ts';
export type { RecordHeader } from '../record/record-headers.ts';

/** Writes dead letters to the dead-letter topic. */
export interface DeadLetterPublisher {
  /**
   * Resolves when all in-sync replicas have the letter. Same partition number as its origin where the topic has it.
   * @throws when it was not acknowledged by `giveUpAt`: it may have been written all the same
   */
  publish(letter: DeadLetter, giveUpAt: EpochMs): Promise<void>;
  /** Ends connections; the next `publish` connects again. Never rejects. */
  disconnect(): Promise<void>;
}
