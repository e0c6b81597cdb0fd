import type { DeadLetter, DeadLetterPublisher, RecordHeader } from '../../shared/ports/dead-letter-publisher.ts';
import type { EpochMs } from '../../shared/record/units.ts';

/** A dead-letter topic that is empty, its publisher, and what tells what is in it. */
export interface LettersUnderTest {
  readonly publisher: DeadLetterPublisher;
  /** What a partition holds, first to last. Partitions: {@link PARTITIONS}. Largest record: {@link MAX_BYTES}. */
  inPartition(partition: number): Promise<readonly WrittenLetter[]>;
  /** A moment that is near enough to fail a test, and far enough for a broker. */
  soon(): EpochMs;
}

/** Of the topic that `open` makes. */
export const PARTITIONS = 3;
export const MAX_BYTES = 100_000;

/** A letter as a consumer of the topic sees it. */
export interface WrittenLetter {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

/** What a consumer sees of a letter that was published. */
export function written({ key, value, headers, timestamp }: DeadLetter): WrittenLetter {
  return { key, value, headers, timestamp };
}

/** 2026-11-21T10:00:00Z */
export const LETTER_TIME = 1_795_255_200_000;

/** A letter of `orders-1@7`. */
export function letterOf(change: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: 'c1/orders-consumer/orders-1@7/1795255200000',
    origin: { topic: 'orders', partition: 1, offset: 7 },
    key: Buffer.from('customer-1'),
    value: Buffer.from('{"total":12}'),
    headers: [header('x-stage', 'handler')],
    timestamp: LETTER_TIME,
    ...change,
  };
}

/** A header of UTF-8 text. */
export function header(name: string, text: string): RecordHeader {
  return { name, value: Buffer.from(text) };
}

/** Bytes that no compression makes shorter, the same in each run. */
export function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 2_463_534_242;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state & 0xff;
  }
  return bytes;
}
