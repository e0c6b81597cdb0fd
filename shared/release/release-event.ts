import { type Letter, type LetterRecord, ownHeadersOf, readLetterTopic } from '../decide/letter.ts';
import type { ParkedPlace } from '../decide/progress.ts';
import type { ParkedRecord } from '../decide/release.ts';
import { LockstepError } from '../errors.ts';
import { DeliveredRecord, type RawRecord } from '../record/delivered-record.ts';
import type { RecordHeader } from '../record/record-headers.ts';
import type { Offset } from '../record/units.ts';

/** A letter as it lies on its topic: base64, headers as pairs in order. Its signature says that Lockstep wrote it. */
export interface ReleasedLetter {
  readonly partition: number;
  readonly offset: Offset;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What a consumer function is invoked with to release a parked key: the letters of its records. */
export interface ReleaseEvent {
  readonly lockstep: 'release';
  readonly cluster: string;
  readonly topic: string;
  readonly partition: number;
  /** Hash of the key. */
  readonly parkedKey: string;
  readonly sequence: string;
  readonly letters: readonly ReleasedLetter[];
}

/** A letter as an event carries it. */
export function releasedLetter({ partition, offset, timestamp, key, value, headers }: LetterRecord): ReleasedLetter {
  return {
    partition,
    offset,
    timestamp,
    key: key?.toString('base64') ?? null,
    value: value?.toString('base64') ?? null,
    headers: headers.map((header) => [header.name, header.value.toString('base64')]),
  };
}

/** A record of a parked key on its way to its handler: where it was in Kafka, and its ordinal, by which the ledger counts it. */
export class ReleasedRecord extends DeliveredRecord implements ParkedRecord {
  readonly attempts: number;
  /** Kafka did not hold it any more when its letter was written. */
  readonly isGone: boolean;
  readonly #kafkaOffset: Offset;

  constructor({ attempts, isExpired, ...letter }: Letter, ordinal: number) {
    const { topic, partition, offset, timestamp } = letter.origin;
    super({ ...rawOf({ ...letter, attempts, isExpired }), topic, partition, timestamp, offset: ordinal });
    this.attempts = attempts;
    this.isGone = isExpired;
    this.#kafkaOffset = offset;
  }

  override get kafkaOffset(): Offset {
    return this.#kafkaOffset;
  }
}

function rawOf(letter: Letter): Pick<RawRecord, 'key' | 'value' | 'headers'> {
  return {
    key: letter.key?.toString('base64') ?? null,
    value: letter.value?.toString('base64') ?? null,
    headers: ownHeadersOf(letter).map(({ name, value }) => ({ [name]: [...new Int8Array(value)] })),
  };
}

/** Whose letters an event may carry. */
export interface ReleaseOwner {
  readonly secret: Buffer;
  readonly group: string;
}

/**
 * Reads the records that are to be released. Whoever may invoke the function can send any event: only letters that Lockstep wrote
 * for this group count, and only those of the sequence that the event names. What else it carries is left out.
 */
export function releasedRecords(event: ReleaseEvent, owner: ReleaseOwner): readonly ReleasedRecord[] {
  return event.letters.flatMap((sent) => {
    const read = readLetterTopic(letterRecord(sent), { ...owner, deadLetterTopic: '' });
    const parked: ParkedPlace | undefined = read.type === 'letter' ? read.letter.parked : undefined;
    if (read.type !== 'letter' || parked?.sequence !== event.sequence) return [];
    const { topic, partition } = read.letter.origin;
    if (topic !== event.topic || partition !== event.partition) return [];
    return new ReleasedRecord(read.letter, parked.ordinal);
  });
}

function letterRecord({ partition, offset, timestamp, key, value, headers }: ReleasedLetter): LetterRecord {
  return {
    partition,
    offset,
    timestamp,
    key: key === null ? null : Buffer.from(key, 'base64'),
    value: value === null ? null : Buffer.from(value, 'base64'),
    headers: headers.map(([name, text]): RecordHeader => ({ name, value: Buffer.from(text, 'base64') })),
  };
}

/** Checks the shape of an event. @throws LockstepError EVENT_RECORD_MALFORMED */
export function parseReleaseEvent(event: object): ReleaseEvent {
  const said = event as Readonly<Record<string, unknown>>;
  const isText = (name: string) => typeof said[name] === 'string' && said[name] !== '';
  const isPlace = ['cluster', 'topic', 'parkedKey', 'sequence'].every(isText) && isNatural(said['partition']);
  const letters = said['letters'];
  if (isPlace && Array.isArray(letters) && letters.every(isLetter)) return said as object as ReleaseEvent;
  throw new LockstepError('EVENT_RECORD_MALFORMED', 'expected a release with its place, its sequence and its letters');
}

function isLetter(letter: unknown): boolean {
  if (typeof letter !== 'object' || letter === null) return false;
  const { partition, offset, timestamp, key, value, headers } = letter as Readonly<Record<string, unknown>>;
  const isBytes = (one: unknown) => one === null || typeof one === 'string';
  const isHeader = (one: unknown) =>
    Array.isArray(one) && one.length === 2 && one.every((text) => typeof text === 'string');
  const isPlace = isNatural(partition) && isNatural(offset) && typeof timestamp === 'number';
  return isPlace && isBytes(key) && isBytes(value) && Array.isArray(headers) && headers.every(isHeader);
}

function isNatural(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
