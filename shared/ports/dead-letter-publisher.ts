import type { Position } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';

/** Header of a Kafka record; order and duplicates are kept. */
export interface RecordHeader {
  readonly name: string;
  readonly value: Buffer;
}

/** A dead letter, ready to be produced: the record's own key, value, headers and timestamp, and ours behind them. */
export interface DeadLetter {
  readonly id: string;
  readonly origin: Position;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

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
