import type { DeadLetter } from '../../shared/decide/dead-letter.ts';
import { readParked } from '../../shared/decide/letter-headers.ts';
import type { ParkedPlace } from '../../shared/decide/progress.ts';
import type { TopicLog } from '../../shared/ports/topic-log.ts';
import { fakeTopicLog } from '../../shared/testing/fake-topic-log.ts';
import type { LogRecord } from './kafka-log.ts';
import type { Truth } from './truth.ts';

export const LETTER_TOPIC = 'orders-dead-letters';

/** The dead-letter topic: what a release reads. */
export class LetterTopic {
  readonly log: TopicLog;
  readonly #put: (letter: DeadLetter) => void;

  constructor() {
    const log = fakeTopicLog();
    let next = 0;
    this.log = log;
    this.#put = ({ origin, key, value, headers, timestamp }) =>
      log.put({ topic: LETTER_TOPIC, partition: origin.partition }, next++, { key, value, headers, timestamp });
  }

  publish(letter: DeadLetter): void {
    this.#put(letter);
  }
}

/** The place in a parked key that a letter names. */
export function placeIn({ headers }: DeadLetter): { readonly parked?: ParkedPlace } {
  const parked = readParked(headers);
  return parked === undefined ? {} : { parked };
}

/** Whose letter it is: one without a value says so by its ordinal alone. */
export function parkedRecord(truth: Truth, letter: DeadLetter): LogRecord | undefined {
  const { parked } = placeIn(letter);
  return parked && truth.assigned.get(parked.sequence)?.get(parked.ordinal);
}
