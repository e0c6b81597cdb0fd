import { recordBytes } from '../decide/record-size.ts';
import { LockstepError } from '../errors.ts';
import type { DeadLetter, DeadLetterPublisher } from '../ports/dead-letter-publisher.ts';
import { positionName } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';

/**
 * The fault of a dead letter. `refused`: it is not written. `unanswered`: it is written, and the answer is lost. Both reject.
 */
export type LetterFault = 'refused' | 'unanswered';

/** Options of the fake that the port does not have. */
export interface FakeDeadLetterTopicOptions {
  /** @default 6 */
  readonly partitions?: number;
  /** The largest dead letter in bytes. @default Infinity */
  readonly maxBytes?: number;
  /** Called with each dead letter that fits. @default no faults */
  readonly fault?: (letter: DeadLetter, giveUpAt: EpochMs) => LetterFault | undefined;
  /** Called with each dead letter that is written, before its publisher gets the answer. */
  readonly onLetter?: (letter: DeadLetter, partition: number) => void;
}

/** A dead-letter topic in memory. */
export interface FakeDeadLetterTopic extends DeadLetterPublisher {
  /** All dead letters in the order in which they were written. A repeated one is there twice. */
  readonly letters: readonly DeadLetter[];
  /** The dead letters of one partition, in order. */
  inPartition(partition: number): readonly DeadLetter[];
}

/**
 * A dead-letter topic in memory with the port's semantics, as the contract suite shows. A dead letter is written during the
 * call, so that simulations decide the order. Dead letters are immutable and are returned without a copy.
 */
export function fakeDeadLetterTopic(options: FakeDeadLetterTopicOptions = {}): FakeDeadLetterTopic {
  const { partitions = 6, maxBytes = Number.POSITIVE_INFINITY, fault, onLetter } = options;
  const letters: DeadLetter[] = [];
  const byPartition = Array.from({ length: partitions }, (): DeadLetter[] => []);

  return {
    letters,
    inPartition: (partition) => byPartition[partition] ?? [],
    // Async, so that a thrown error rejects. It runs to its end within the call.
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
