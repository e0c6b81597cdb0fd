import { partitionName } from '../record/item-identifier.ts';
import { below, decodeRanges, encodeRanges, type OffsetRanges } from '../record/offset-ranges.ts';
import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import { FOREIGN_KEPT_HEADER, restoreForeign } from './foreign-headers.ts';
import {
  countOf,
  headersBefore,
  type Origin,
  ourHeaders,
  readOrigin,
  readParked,
  textHeader,
  textOf,
} from './letter-headers.ts';
import type { ParkedPlace } from './progress.ts';
import { REDRIVE_COUNT_HEADER } from './returned-record.ts';
import { isSigned, signedHeaders } from './signature.ts';

/** A record of the dead-letter topic, with the broker's bytes. */
export interface LetterRecord {
  readonly partition: number;
  readonly offset: Offset;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

/** A letter as it lies on its topic. Texts are empty where the letter says nothing. */
export interface Letter extends LetterRecord {
  readonly id: string;
  readonly origin: Origin;
  readonly group: string;
  readonly errorName: string;
  readonly errorMessage: string;
  readonly fingerprint: string;
  readonly stage: string;
  readonly disposition: string;
  readonly attempts: number;
  readonly interruptions: number;
  readonly deadLetteredAt: EpochMs;
  readonly redriveCount: number;
  /** Nobody can tell whether it was handled. */
  readonly isDoubtful: boolean;
  /** It stands for records that Kafka holds no more. */
  readonly isExpired: boolean;
  /** Its record waits in a parked key: only a release runs it. */
  readonly parked?: ParkedPlace;
}

/** What became of letters: a record of ours on the dead-letter topic, written in the same transaction as what it tells. */
export interface LetterMarker {
  readonly what: 'redriven' | 'purged';
  /** Of letters in the marker's own partition. */
  readonly offsets: OffsetRanges;
  readonly at: EpochMs;
  readonly by: string;
}

/** In a letter of the relay: nobody can tell whether the record was handled. */
export const DOUBTFUL_HEADER = 'x-doubtful';
/** On a marker: `redriven` or `purged`. */
export const MARKER_HEADER = 'x-lockstep-marker';

/** Whose letters are read. */
export interface LetterOwner {
  readonly secret: Buffer;
  readonly group: string;
  readonly deadLetterTopic: string;
}

/**
 * What a record of the dead-letter topic is. `other`: says that it is of another group. `foreign`: nothing that Lockstep wrote for
 * this group, whatever it claims to be.
 */
export type OnLetterTopic =
  | { readonly type: 'letter'; readonly letter: Letter }
  | { readonly type: 'marker'; readonly marker: LetterMarker }
  | { readonly type: 'other' }
  | { readonly type: 'foreign'; readonly claims: 'a letter' | 'a marker' | 'nothing' };

/** Reads a record of the dead-letter topic: a letter or a marker counts where its signature is ours. */
export function readLetterTopic(record: LetterRecord, owner: LetterOwner): OnLetterTopic {
  const letter = parseLetter(record);
  if (letter === undefined) return readMarker(record, owner);
  if (letter.group !== owner.group) return { type: 'other' };
  return isSigned(owner.secret, 'letter', owner.group, record)
    ? { type: 'letter', letter }
    : { type: 'foreign', claims: 'a letter' };
}

/** What a record says that has the shape of a letter, whoever wrote it; `undefined` where it has not. */
export function parseLetter(record: LetterRecord): Letter | undefined {
  const headers = ourHeaders(record.headers);
  const text = new Map<string, string>();
  for (const { name, value } of headers) text.set(name, value.toString());
  const said = (name: string) => text.get(name) ?? '';
  const id = said('x-dead-letter-id');
  const origin = readOrigin(headers);
  if (id === '' || origin === undefined) return undefined;
  const errorName = said('x-error-name');
  const deadLetteredAt = Date.parse(said('x-dead-lettered-at'));
  const parked = readParked(headers);
  return {
    ...record,
    id,
    origin,
    group: said('x-consumer-group'),
    errorName,
    errorMessage: said('x-error-message'),
    fingerprint: said('x-error-fingerprint'),
    stage: said('x-stage'),
    disposition: said('x-disposition'),
    attempts: countOf(headers, 'x-retry-count'),
    interruptions: countOf(headers, 'x-interruption-count'),
    deadLetteredAt: Number.isNaN(deadLetteredAt) ? record.timestamp : deadLetteredAt,
    redriveCount: countOf(headers, REDRIVE_COUNT_HEADER),
    isDoubtful: text.has(DOUBTFUL_HEADER),
    isExpired: errorName === 'RECORD_EXPIRED',
    ...(parked !== undefined && { parked }),
  };
}

/** Headers that a letter's record came with, under their own names. */
export function ownHeadersOf({ headers }: LetterRecord): readonly RecordHeader[] {
  const own = headersBefore(headers);
  return textOf(ourHeaders(headers), FOREIGN_KEPT_HEADER) === '' ? restoreForeign(own) : own;
}

/** A marker as it is produced to a partition: no key, JSON that people can read, and our signature. */
export function markerRecord(
  { what, offsets, at, by }: LetterMarker,
  { secret, group, deadLetterTopic: topic }: LetterOwner,
  partition: number,
) {
  const text = { offsets: encodeRanges(offsets), at: new Date(at).toISOString(), by, group };
  const value = Buffer.from(JSON.stringify(text));
  const said = { key: null, value, headers: [textHeader(MARKER_HEADER, what)] };
  return {
    ...said,
    headers: signedHeaders(secret, 'marker', partitionName({ topic, partition }), said),
    timestamp: at,
  };
}

/** A header may have been written by anybody: what is no marker of ours is foreign. */
function readMarker(record: LetterRecord, { secret, group, deadLetterTopic: topic }: LetterOwner): OnLetterTopic {
  const [first] = record.headers;
  const name = first?.name === MARKER_HEADER ? first.value.toString() : undefined;
  if (name !== 'redriven' && name !== 'purged') return { type: 'foreign', claims: 'nothing' };
  const foreign: OnLetterTopic = { type: 'foreign', claims: 'a marker' };
  try {
    const said: Readonly<Record<string, unknown>> = JSON.parse(String(record.value));
    if (said['group'] !== group && typeof said['group'] === 'string') return { type: 'other' };
    if (!isSigned(secret, 'marker', partitionName({ topic, partition: record.partition }), record)) return foreign;
    const { offsets, at, by } = said;
    // It closes what lies before it, as only a marker that was written behind its letters can.
    const before = below(decodeRanges(String(offsets)), record.offset);
    return { type: 'marker', marker: { what: name, offsets: before, at: Date.parse(String(at)), by: String(by) } };
  } catch {
    return foreign;
  }
}
