import { timingSafeEqual } from 'node:crypto';
import { textSignature } from '../../decide/signature.ts';
import type { DeadLetter, RecordHeader } from '../../ports/dead-letter-publisher.ts';
import type { FallbackEntry } from '../../ports/fallback-queue.ts';
import type { LedgerPartition, Position } from '../../record/item-identifier.ts';
import { decodeRanges, encodeRanges, type OffsetRanges } from '../../record/offset-ranges.ts';

/** Version of the text. The relay reads this one and older ones. */
const VERSION = 1;

/**
 * An entry as text, in plain ASCII whatever the record contains: keys, values and headers are base64, headers are pairs in
 * order.
 *
 * It is signed: only a process that knows the stack's secret can write an entry that the relay accepts.
 *
 * `{ "v": 1, "type": "letter", "letter": { "id", "origin": { "topic", "partition", "offset" }, "key", "value",
 * "headers": [["name", "base64"]], "timestamp" } }` or `{ "v": 1, "type": "abandoned", "partition": { "cluster", "group",
 * "topic", "partition" }, "offsets": "sy+2r,2" }`, each followed by a `"signature"`
 */
export function encodeFallbackEntry(entry: FallbackEntry, secret: Buffer): string {
  const text = JSON.stringify({
    v: VERSION,
    ...(entry.type === 'letter' ? letterText(entry.letter) : rangeText(entry)),
  });
  // SQS refuses some characters that JSON allows, for example U+FFFF.
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
  const ascii = text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `${ascii.slice(0, -1)}${SIGNATURE_BEGIN}${textSignature(secret, ascii)}${SIGNATURE_END}`;
}

const SIGNATURE_BEGIN = ',"signature":"';
const SIGNATURE_END = '"}';
/** Length of a SHA-256 in base64url. */
const SIGNATURE_LENGTH = 43;

/** The signed text. @throws TypeError where its signature is not ours */
function signedText(text: string, secret: Buffer): string {
  const end = Math.max(0, text.length - SIGNATURE_BEGIN.length - SIGNATURE_LENGTH - SIGNATURE_END.length);
  const signed = `${text.slice(0, end)}}`;
  const expected = Buffer.from(`${SIGNATURE_BEGIN}${textSignature(secret, signed)}${SIGNATURE_END}`);
  const found = Buffer.from(text.slice(end));
  if (found.length !== expected.length || !timingSafeEqual(found, expected))
    throw new TypeError('its signature is not that of this stack: Lockstep did not write it');
  return signed;
}

/** Whether Lockstep wrote this text, whether or not this version can read it. */
export function isSignedEntry(text: string, secret: Buffer): boolean {
  try {
    signedText(text, secret);
    return true;
  } catch {
    return false;
  }
}

function letterText({ id, origin, key, value, headers, timestamp }: DeadLetter) {
  const { topic, partition, offset } = origin;
  return {
    type: 'letter',
    letter: {
      id,
      origin: { topic, partition, offset },
      key: base64(key),
      value: base64(value),
      headers: headers.map((header) => [header.name, base64(header.value)]),
      timestamp,
    },
  };
}

function rangeText({ partition, offsets }: Extract<FallbackEntry, { readonly type: 'abandoned' }>) {
  const { cluster, group, topic, partition: number } = partition;
  return { type: 'abandoned', partition: { cluster, group, topic, partition: number }, offsets: encodeRanges(offsets) };
}

/**
 * Reads {@link encodeFallbackEntry} back. @throws TypeError or SyntaxError for anything else: then the message must not be
 * deleted
 */
export function decodeFallbackEntry(text: string, secret: Buffer): FallbackEntry {
  return parseFallbackEntry(signedText(text, secret));
}

/** The content of an entry, whoever wrote it. @throws as {@link decodeFallbackEntry} */
export function parseFallbackEntry(text: string): FallbackEntry {
  const entry = object(JSON.parse(text), 'the entry');
  if (entry['v'] !== VERSION)
    throw new TypeError(`expected \`v\` to be ${VERSION}, got ${String(entry['v']).slice(0, 80)}`);
  switch (entry['type']) {
    case 'letter':
      return { type: 'letter', letter: readLetter(object(entry['letter'], '`letter`')) };
    case 'abandoned':
      return {
        type: 'abandoned',
        partition: readPartition(object(entry['partition'], '`partition`')),
        offsets: ascending(decodeRanges(string(entry, 'offsets'))),
      };
    default:
      throw new TypeError(`expected \`type\` to be letter or abandoned, got ${String(entry['type']).slice(0, 80)}`);
  }
}

/** Each range begins behind the one before, and ends before numbers become inexact. */
function ascending(ranges: OffsetRanges): OffsetRanges {
  let last = -1;
  for (const { from, to } of ranges) {
    if (from <= last || !Number.isSafeInteger(to))
      throw new TypeError('expected `offsets` to be ranges in ascending order');
    last = to;
  }
  return ranges;
}

type Fields = Readonly<Record<string, unknown>>;

function readLetter(fields: Fields): DeadLetter {
  const headers = fields['headers'];
  if (!Array.isArray(headers)) throw new TypeError('expected `headers` to be an array');
  return {
    id: string(fields, 'id'),
    origin: readPosition(object(fields['origin'], '`origin`')),
    key: bytes(fields, 'key'),
    value: bytes(fields, 'value'),
    headers: headers.map(readHeader),
    timestamp: number(fields, 'timestamp'),
  };
}

function readHeader(pair: unknown): RecordHeader {
  const [name, value]: readonly unknown[] = Array.isArray(pair) ? pair : [];
  if (typeof name !== 'string' || typeof value !== 'string') throw new TypeError('expected a header to be two texts');
  return { name, value: Buffer.from(value, 'base64') };
}

function readPosition(fields: Fields): Position {
  return { topic: string(fields, 'topic'), partition: number(fields, 'partition'), offset: number(fields, 'offset') };
}

function readPartition(fields: Fields): LedgerPartition {
  return {
    cluster: string(fields, 'cluster'),
    group: string(fields, 'group'),
    topic: string(fields, 'topic'),
    partition: number(fields, 'partition'),
  };
}

function base64(value: Buffer | null): string | null {
  return value?.toString('base64') ?? null;
}

function object(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new TypeError(`expected ${what} to be an object`);
}

function string(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw new TypeError(`expected \`${name}\` to be a text`);
}

function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number') return value;
  throw new TypeError(`expected \`${name}\` to be a number`);
}

function bytes(fields: Fields, name: string): Buffer | null {
  return fields[name] === null ? null : Buffer.from(string(fields, name), 'base64');
}
