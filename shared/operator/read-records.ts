import { ownHeadersOf } from '../decide/letter.ts';
import { recordBytes } from '../decide/record-size.ts';
import type { OriginalBytes, OriginalRecordAt } from '../ports/original-reader.ts';
import { type Position, positionName } from '../record/item-identifier.ts';
import { findLetter } from '../redrive/find-letter.ts';
import type { LetterSource } from '../redrive/read-letters.ts';
import type { ExactRecord, OperatorAnswers } from './answers.ts';

/** Bytes of keys, values and headers in one answer: with base64 they fit the answer of a function, which is at most 6 MB. */
const MOST_BYTES = 3 * 1024 * 1024;
/** Offsets before the record that are searched for its predecessors. */
const MOST_SEARCHED = 20_000;
const FIRST_WINDOW = 500;

/** A record, by its place or by its dead letter, and how many before it are wanted: of its key, or of its partition. */
export interface RecordsOrder {
  readonly at: Position | { readonly id: string };
  readonly before: number;
  readonly of: 'key' | 'partition';
}

/**
 * A record with its exact bytes, and its predecessors. A record that its topic does not hold any more is taken from its dead letter.
 * The answer says why there is no record, and whether there are fewer predecessors than wanted.
 */
export async function readRecords(
  source: LetterSource,
  topic: string,
  { at, before, of }: RecordsOrder,
): Promise<OperatorAnswers['records']> {
  const letter = 'id' in at ? await findLetter(source, at.id) : undefined;
  const position = 'id' in at ? letter?.origin : at;
  if (position === undefined) return { records: [], isComplete: false, missing: 'letter' };
  // A dead letter may be of another topic: what a redrive moved from elsewhere. Then only its own bytes are known.
  const found =
    position.topic === topic ? await source.log.read(position, source.giveUpAt) : { type: 'absent' as const };
  const cause = letter && { errorName: letter.errorName, fingerprint: letter.fingerprint, id: letter.id };
  const fromLetter = letter && { ...letter, timestamp: letter.origin.timestamp, headers: ownHeadersOf(letter) };
  const bytes: OriginalBytes | undefined = found.type === 'found' ? found.record : fromLetter;
  if (bytes === undefined)
    return { records: [], isComplete: false, missing: found.type === 'expired' ? 'expired' : 'absent' };
  const itself = { offset: position.offset, record: bytes };
  const earlier = found.type === 'found' ? await predecessors(source, position, bytes, before, of) : [];
  const kept = lastThatFit([...earlier, itself]);
  return {
    records: kept.map((one) => exactRecord(position, one)),
    isComplete: kept.length > before,
    ...(found.type !== 'found' && { takenFrom: 'letter' as const }),
    ...(cause !== undefined && { cause }),
  };
}

/** The last `before` records ahead of a position, of its key or of its partition, searched backwards in growing windows. */
async function predecessors(
  { log, giveUpAt }: LetterSource,
  { topic, partition, offset }: Position,
  { key }: OriginalBytes,
  before: number,
  of: 'key' | 'partition',
): Promise<OriginalRecordAt[]> {
  let found: OriginalRecordAt[] = [];
  let end = offset;
  const least = Math.max(0, offset - MOST_SEARCHED);
  for (let window = FIRST_WINDOW; found.length < before && end > least; window *= 2) {
    const range = { from: Math.max(least, end - window), to: end - 1 };
    const earlier: OriginalRecordAt[] = [];
    for await (const slice of log.passThrough({ topic, partition }, range, giveUpAt))
      for (const one of slice.records) {
        if (of === 'key' && !isSame(one.record.key, key)) continue;
        earlier.push(ownBytes(one));
        if (earlier.length > before) earlier.shift();
      }
    found = [...earlier, ...found].slice(-before);
    end = range.from;
  }
  return before === 0 ? [] : found;
}

function isSame(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}

/** Views would keep a whole batch in memory. */
function ownBytes({ offset, record: { key, value, headers, timestamp } }: OriginalRecordAt): OriginalRecordAt {
  return {
    offset,
    record: {
      key: key && Buffer.from(key),
      value: value && Buffer.from(value),
      headers: headers.map((header) => ({ name: header.name, value: Buffer.from(header.value) })),
      timestamp,
    },
  };
}

/** The record itself always, and of those before it the last ones that there is room for. */
function lastThatFit(records: readonly OriginalRecordAt[]): readonly OriginalRecordAt[] {
  let bytes = 0;
  let from = records.length;
  for (let index = records.length - 1; index >= 0; index--) {
    const one = records[index];
    bytes += one === undefined ? 0 : recordBytes(one.record);
    if (bytes > MOST_BYTES && from < records.length) break;
    from = index;
  }
  return records.slice(from);
}

function exactRecord(
  { topic, partition }: Position,
  { offset, record: { key, value, headers, timestamp } }: OriginalRecordAt,
): ExactRecord {
  return {
    position: positionName({ topic, partition, offset }),
    timestamp,
    key: key?.toString('base64') ?? null,
    value: value?.toString('base64') ?? null,
    headers: headers.map((header) => ({ name: header.name, value: header.value.toString('base64') })),
  };
}
