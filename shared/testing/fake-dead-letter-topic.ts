import { recordBytes } from '../decide/record-size.ts';
import { LockstepError } from '../errors.ts';
import type { DeadLetter, DeadLetterPublisher } from '../ports/dead-letter-publisher.ts';
import { positionName } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';

/** What goes wrong with a letter. `refused`: it is not written; `unanswered`: it is, and nobody hears of it. Both reject. */
export type LetterFault = 'refused' | 'unanswered';

/** What a test may ask of the fake besides the port. */
export interface FakeDeadLetterTopicOptions {
  /** @default 6 */
  readonly partitions?: number;
  /** Most bytes of a letter. @default Infinity */
  readonly maxBytes?: number;
  /** Called with each letter that fits. @default nothing goes wrong */
  readonly fault?: (letter: DeadLetter, giveUpAt: EpochMs) => LetterFault | undefined;
  /** Called with each letter that is written, before its publisher hears of it. */
  readonly onLetter?: (letter: DeadLetter, partition: number) => void;
}

/** A dead-letter topic in memory. */
export interface FakeDeadLetterTopic extends DeadLetterPublisher {
  /** All letters in the order in which they were written; a letter that was repeated is there twice. */
  readonly letters: readonly DeadLetter[];
  /** The letters of one partition, in order. */
  inPartition(partition: number): readonly DeadLetter[];
}

/**
 * A dead-letter topic in memory with the port's semantics, as the contract suite shows. A letter is written at the moment of the
 * call, so that simulations decide the order; letters are immutable values and are handed out as they are, never copied.
 */
export function fakeDeadLetterTopic(options: FakeDeadLetterTopicOptions = {}): FakeDeadLetterTopic {
  const { partitions = 6, maxBytes = Number.POSITIVE_INFINITY, fault, onLetter } = options;
  const letters: DeadLetter[] = [];
  const byPartition = Array.from({ length: partitions }, (): DeadLetter[] => []);

  return {
    letters,
    inPartition: (partition) => byPartition[partition] ?? [],
    // Async, so that what is thrown rejects; it runs to its end within the call.
    async publish(letter, giveUpAt) {
      if (recordBytes(letter) > maxBytes) throw refusal(letter, 'MESSAGE_TOO_LARGE');
      const found = fault?.(letter, giveUpAt);
      if (found === 'refused') throw refusal(letter, 'refused');
      const partition = letter.origin.partition % partitions;
      letters.push(letter);
      byPartition[partition]?.push(letter);
      onLetter?.(letter, partition);
      if (found === 'unanswered') throw refusal(letter, 'not acknowledged in time');
    },
    disconnect: async () => undefined,
  };
}

function refusal({ origin }: DeadLetter, why: string): LockstepError {
  return new LockstepError('DEAD_LETTER_REFUSED', `the letter of ${positionName(origin)} was not acknowledged: ${why}`);
}
