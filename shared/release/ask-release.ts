import { settledOrdinal } from '../decide/parking.ts';
import type { ParkedItem } from '../decide/progress.ts';
import type { Clock } from '../ports/clock.ts';
import type { ParkedKeys } from '../ports/parked-keys.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';
import { type LetterSource, lettersAt, readLetters } from '../redrive/read-letters.ts';
import { type ReleaseEvent, releasedLetter } from './release-event.ts';
import type { ReleaseAnswer } from './run-release.ts';

/** Records, and base64 of keys, values and headers, in one event: Lambda takes 6 MB. */
const MOST_LETTERS = 500;
const MOST_BYTES = 4_000_000;
/** What Lambda takes at most, less what is around the letters. */
const LARGEST_LETTER_BYTES = 5_900_000;

/** Where a letter lies on its topic. */
interface LetterPlace {
  readonly partition: number;
  readonly offset: number;
}

/** Letters of parked records: by sequence and ordinal. Of equal ordinals the first counts. */
export type ParkedLetters = ReadonlyMap<string, ReadonlyMap<number, LetterPlace>>;

/** Finds the letters of these sequences: the dead-letter topic is read through once, however many they are. */
export async function parkedLetters(source: LetterSource, sequences: ReadonlySet<string>): Promise<ParkedLetters> {
  const found = new Map<string, Map<number, LetterPlace>>();
  await readLetters(source, {
    letter: ({ parked, partition, offset }) => {
      if (parked === undefined || !sequences.has(parked.sequence)) return;
      const known = found.get(parked.sequence) ?? new Map<number, LetterPlace>();
      if (!known.has(parked.ordinal)) known.set(parked.ordinal, { partition, offset });
      found.set(parked.sequence, known);
    },
    marker: () => undefined,
  });
  return found;
}

/** What asking for a release needs. */
export interface AskPorts {
  readonly parkedKeys: Pick<ParkedKeys, 'read'>;
  readonly source: LetterSource;
  readonly clock: Pick<Clock, 'now'>;
  /** Invokes the consumer function, and waits for its answer. */
  readonly invoke: (event: ReleaseEvent) => Promise<ReleaseAnswer>;
}

/** How far a key came. `tooLarge`: the letter of the next record does not fit an event of Lambda. `timeIsUp`: ask again. */
export interface ReleasedKey {
  readonly end: ReleaseAnswer['end'] | 'tooLarge' | 'timeIsUp';
  readonly settled: number;
  readonly gone: number;
  readonly why?: string;
  readonly until?: EpochMs;
  /** The ordinal that comes next, where one does. */
  readonly next?: number;
}

/**
 * Releases a parked key through the deployed function, event after event, until it is free, or a record stays parked. Only ordinals
 * that follow each other go into an event.
 *
 * @param sequence - the park that is meant: of another one nothing runs
 * @param stopAt - no event is sent after it
 */
export async function askRelease(
  place: LedgerPartition,
  sequence: string,
  letters: ParkedLetters,
  ports: AskPorts,
  stopAt: EpochMs,
): Promise<ReleasedKey> {
  let settled = 0;
  let gone = 0;
  for (;;) {
    const item = await ports.parkedKeys.read(place);
    if (item?.sequence !== sequence) return { end: settled > 0 ? 'freed' : 'notParked', settled, gone };
    const next = settledOrdinal(item.progress) + 1;
    if (ports.clock.now() >= stopAt) return { end: 'timeIsUp', settled, gone, next };
    const sent = await nextLetters(item, letters.get(sequence) ?? new Map(), ports.source);
    if (sent === 'tooLarge') return { end: 'tooLarge', settled, gone, next };
    if (sent.length === 0 && next <= item.tail) return { end: 'missing', settled, gone, next };
    const answer = await ports.invoke(eventOf(place, sequence, sent));
    settled += answer.settled;
    gone += answer.gone;
    const { end, why, until } = answer;
    if (end === 'more' && answer.settled > 0) continue;
    return {
      end,
      settled,
      gone,
      ...(why !== undefined && { why }),
      ...(until !== undefined && { until }),
      ...(answer.next !== undefined && { next: answer.next }),
    };
  }
}

/** What of a key goes into the next event: what follows its last settled ordinal, up to the first that is missing. */
async function nextLetters(
  { progress, tail }: ParkedItem,
  places: ReadonlyMap<number, LetterPlace>,
  source: LetterSource,
): Promise<ReleaseEvent['letters'] | 'tooLarge'> {
  const wanted: LetterPlace[] = [];
  const first = settledOrdinal(progress) + 1;
  for (let ordinal = first; ordinal <= tail && wanted.length < MOST_LETTERS; ordinal++) {
    const at = places.get(ordinal);
    if (at === undefined) break;
    wanted.push(at);
  }
  const sent: ReleaseEvent['letters'][number][] = [];
  let bytes = 0;
  // Some at a time: values may be large.
  for (let start = 0; start < wanted.length; start += 50) {
    const some = wanted.slice(start, start + 50);
    const found = await lettersAt(source, some, (letter) => ({
      ordinal: letter.parked?.ordinal,
      sent: releasedLetter(letter),
    }));
    for (const [index, letter] of found.entries()) {
      // Retention took one meanwhile: nothing behind it goes along.
      if (letter.ordinal !== first + start + index) return sent;
      const size = JSON.stringify(letter.sent).length;
      if (size > LARGEST_LETTER_BYTES && sent.length === 0) return 'tooLarge';
      if (bytes + size > MOST_BYTES && sent.length > 0) return sent;
      bytes += size;
      sent.push(letter.sent);
    }
    if (found.length < some.length) return sent;
  }
  return sent;
}

function eventOf(
  { cluster, topic, partition, parkedKey = '' }: LedgerPartition,
  sequence: string,
  letters: ReleaseEvent['letters'],
): ReleaseEvent {
  return { lockstep: 'release', cluster, topic, partition, parkedKey, sequence, letters };
}
