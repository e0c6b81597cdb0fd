import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { ClaimedBatch, Gate, Head, Mark, PartitionItem, Progress, RecordIdentity } from '../decide/progress.ts';
import { StoreError } from '../ports/store-error.ts';
import { decodeRanges, encodeRanges, lowest, type OffsetRanges } from '../record/offset-ranges.ts';
import type { Offset } from '../record/units.ts';
import {
  type Attributes,
  flag,
  map,
  maybeNumber,
  number,
  optional,
  ranges,
  readBytes,
  readFlag,
  readList,
  readMap,
  readNumber,
  readRanges,
  readText,
  type Sparse,
  text,
} from './ledger-attributes.ts';
import { decodeHead, encodeHead, identityFields, readIdentity } from './ledger-head.ts';
import { decodeMarks, encodeMarks } from './ledger-marks.ts';

/** Format of the ledger's items, in `v`. Newer code reads older items; older code refuses newer ones. */
export const LEDGER_VERSION = 1;

/** Every attribute that holds progress; a write sets those that are present and removes the others. DESIGN section 4. */
export const PROGRESS_ATTRIBUTES = [
  'settled',
  'pending',
  'floor',
  'marks',
  'newestTimestamp',
  'heads',
  'gate',
  'standing',
  'skipBelow',
  'runBelow',
  'carefulUntil',
  'running',
  'pausedUntil',
  'consecutiveDeadLetters',
  'breaker',
  'singly',
] as const;

/** Progress as attributes; what is empty, zero or absent has none. */
export function encodeProgress(progress: Progress): Sparse<(typeof PROGRESS_ATTRIBUTES)[number]> {
  const { settled, pending, standing, marks, heads, gate, running } = progress;
  return {
    settled: ranges(settled),
    pending: ranges(pending),
    floor: maybeNumber(progress.floor),
    marks: marks.length === 0 ? undefined : { B: encodeMarks(marks) },
    newestTimestamp: maybeNumber(progress.newestTimestamp),
    heads: heads.size === 0 ? undefined : encodeHeads(heads),
    gate: gate && map({ offset: number(gate.offset), since: number(gate.since), sightings: number(gate.sightings) }),
    standing: ranges(standing),
    skipBelow: maybeNumber(progress.skipBelow),
    runBelow: maybeNumber(progress.runBelow),
    carefulUntil: maybeNumber(progress.carefulUntil),
    running: running && map({ offset: number(running.offset), ...identityFields(running) }),
    pausedUntil: maybeNumber(progress.pausedUntil),
    consecutiveDeadLetters: maybeNumber(progress.consecutiveDeadLetters || undefined),
    breaker: limit(progress.maxConsecutiveDeadLetters),
    singly: flag(progress.singly),
  };
}

/**
 * An entry of `claims`: the encoded offsets, with the timestamp and the value hash of the first record where they are known, a
 * space, the owner. Text, so that `list_append` adds it without reading. Base 36 is exact up to 2^53: a record with a timestamp
 * beyond that stays unknown.
 */
export function encodeClaim({ owner, offsets, first }: ClaimedBatch): AttributeValue {
  const isExact = first !== undefined && Number.isSafeInteger(first.timestamp);
  const identity = isExact ? `;${first.timestamp.toString(36)};${first.valueHash}` : '';
  return text(`${encodeRanges(offsets)}${identity} ${owner}`);
}

/**
 * A partition item as DynamoDB returned it.
 *
 * @throws StoreError LEDGER_ITEM_UNREADABLE, naming item and attribute
 */
export function decodePartitionItem(item: Attributes): PartitionItem {
  return readable(item, () => ({
    epoch: readNumber(item, 'epoch'),
    rev: readNumber(item, 'rev'),
    ...optional('owner', readText, item, 'owner'),
    leaseUntil: readNumber(item, 'leaseUntil'),
    claims: item['claims'] === undefined ? [] : readList(item, 'claims').map(decodeClaim),
    progress: {
      settled: readRanges(item, 'settled'),
      pending: readRanges(item, 'pending'),
      ...optional('floor', readNumber, item, 'floor'),
      marks: item['marks'] === undefined ? [] : readMarks(item, 'marks'),
      ...optional('newestTimestamp', readNumber, item, 'newestTimestamp'),
      heads: item['heads'] === undefined ? new Map() : readHeads(item, 'heads'),
      ...optional('gate', readGate, item, 'gate'),
      standing: readRanges(item, 'standing'),
      ...optional('skipBelow', readNumber, item, 'skipBelow'),
      ...optional('runBelow', readNumber, item, 'runBelow'),
      ...optional('carefulUntil', readNumber, item, 'carefulUntil'),
      ...optional('running', readRunning, item, 'running'),
      ...optional('pausedUntil', readNumber, item, 'pausedUntil'),
      consecutiveDeadLetters:
        item['consecutiveDeadLetters'] === undefined ? 0 : readNumber(item, 'consecutiveDeadLetters'),
      ...optional('maxConsecutiveDeadLetters', readLimit, item, 'breaker'),
      ...optional('singly', readFlag, item, 'singly'),
    },
  }));
}

/**
 * What `read` makes of an item of this format.
 *
 * @throws StoreError LEDGER_ITEM_UNREADABLE where the format is newer, missing, or not what `read` expects
 */
export function readable<T>(item: Attributes, read: () => T): T {
  const name = item['pk']?.S ?? JSON.stringify(item);
  const version = Number(item['v']?.N);
  if (!(version >= 1 && version <= LEDGER_VERSION)) {
    const found = item['v'] === undefined ? 'none' : JSON.stringify(item['v']);
    throw unreadable(`ledger item ${name} has format version ${found}, this code reads ${LEDGER_VERSION}`);
  }
  try {
    return read();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw unreadable(`ledger item ${name}: ${why}`, cause);
  }
}

function unreadable(what: string, cause?: unknown): StoreError {
  const code = 'LEDGER_ITEM_UNREADABLE';
  return new StoreError(what, { code, transient: false, ...(cause !== undefined && { cause }) });
}

/** DynamoDB's numbers end somewhere. */
const NO_LIMIT = 'none';

function limit(value: number | undefined): AttributeValue | undefined {
  return value === Number.POSITIVE_INFINITY ? text(NO_LIMIT) : maybeNumber(value);
}

function readLimit(from: Attributes, name: string): number {
  return from[name]?.S === NO_LIMIT ? Number.POSITIVE_INFINITY : readNumber(from, name);
}

function encodeHeads(heads: ReadonlyMap<Offset, Head>): AttributeValue {
  const fields: Record<string, AttributeValue> = {};
  for (const [offset, head] of heads) fields[String(offset)] = encodeHead(head);
  return { M: fields };
}

function readHeads(from: Attributes, name: string): ReadonlyMap<Offset, Head> {
  const fields = readMap(from, name);
  const offsets = Object.keys(fields).map(Number);
  // DynamoDB's maps have no order.
  return new Map(offsets.sort((a, b) => a - b).map((at) => [at, decodeHead(readMap(fields, String(at)), at)]));
}

function readMarks(from: Attributes, name: string): readonly Mark[] {
  return decodeMarks(readBytes(from, name));
}

function readGate(from: Attributes, name: string): Gate {
  const fields = readMap(from, name);
  return {
    offset: readNumber(fields, 'offset'),
    since: readNumber(fields, 'since'),
    sightings: readNumber(fields, 'sightings'),
  };
}

function readRunning(from: Attributes, name: string): RecordIdentity {
  const fields = readMap(from, name);
  return readIdentity(fields, readNumber(fields, 'offset'));
}

function decodeClaim(entry: AttributeValue): ClaimedBatch {
  const space = entry.S?.indexOf(' ') ?? -1;
  if (entry.S === undefined || space < 0) throw new TypeError(`${JSON.stringify(entry)} is not an entry of claims`);
  const owner = entry.S.slice(space + 1);
  const [encoded = '', timestamp, valueHash = ''] = entry.S.slice(0, space).split(';');
  const offsets: OffsetRanges = decodeRanges(encoded);
  const offset = lowest(offsets);
  if (timestamp === undefined || offset === undefined) return { owner, offsets };
  const first = { offset, timestamp: Number.parseInt(timestamp, 36), valueHash };
  if (Number.isNaN(first.timestamp)) throw new TypeError(`${JSON.stringify(entry)} is not an entry of claims`);
  return { owner, offsets, first };
}
