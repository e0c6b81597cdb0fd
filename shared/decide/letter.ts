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

/** A dead letter as it lies on its topic. Texts are empty where the dead letter has no such header. */
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
  /** It is not known whether its record was handled. */
  readonly isDoubtful: boolean;
  /** It stands for records that Kafka does not hold any more. */
  readonly isExpired: boolean;
  /** Its record waits in a parked key: only a release runs it. */
  readonly parked?: ParkedPlace;
}

/**
 * What became of dead letters: a record of ours on the dead-letter topic, written in the same transaction as the act that it
 * reports.
 */
export interface LetterMarker {
  readonly what: 'redriven' | 'purged';
  /** Offsets of dead letters in the marker's own partition. */
  readonly offsets: OffsetRanges;
  readonly at: EpochMs;
  readonly by: string;
}

/** Set on a dead letter of the relay when it is not known whether the record was handled. */
export const DOUBTFUL_HEADER = 'x-doubtful';
/** On a marker: `redriven` or `purged`. */
export const MARKER_HEADER = 'x-lockstep-marker';

/** The consumer whose dead letters are read. */
export interface LetterOwner {
  readonly secret: Buffer;
  readonly group: string;
  readonly deadLetterTopic: string;
}

/**
 * What a record on the dead-letter topic is. `other`: it says that it belongs to another group. `foreign`: Lockstep did not
 * write it for this group, whatever it says.
 */
export type OnLetterTopic =
  | { readonly type: 'letter'; readonly letter: Letter }
  | { readonly type: 'marker'; readonly marker: LetterMarker }
  | { readonly type: 'other' }
  | { readonly type: 'foreign'; readonly claims: 'a letter' | 'a marker' | 'nothing' };

/** Reads a record of the dead-letter topic. A dead letter or a marker counts only if its signature is ours. */
export function readLetterTopic(record: LetterRecord, owner: LetterOwner): OnLetterTopic {
  const letter = parseLetter(record);
  if (letter === undefined) return readMarker(record, owner);
  if (letter.group !== owner.group) return { type: 'other' };
  return isSigned(owner.secret, 'letter', owner.group, record)
    ? { type: 'letter', letter }
    : { type: 'foreign', claims: 'a letter' };
}

/** Reads a record that has the form of a dead letter, whoever wrote it; `undefined` for any other record. */
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

/** The headers that the record of a dead letter came with, under their own names. */
export function ownHeadersOf({ headers }: LetterRecord): readonly RecordHeader[] {
  const own = headersBefore(headers);
  return textOf(ourHeaders(headers), FOREIGN_KEPT_HEADER) === '' ? restoreForeign(own) : own;
}

/** A marker as it is produced: without a key, as JSON that people can read, with our signature. */
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

/** Anybody may have written the header. A record that is not a marker of ours is foreign. */
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
    // A marker closes only dead letters before it: a real marker is always written after them.
    const before = below(decodeRanges(String(offsets)), record.offset);
    return { type: 'marker', marker: { what: name, offsets: before, at: Date.parse(String(at)), by: String(by) } };
  } catch {
    return foreign;
  }
}
