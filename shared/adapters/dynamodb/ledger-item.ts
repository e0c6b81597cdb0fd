import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type {
  BlockedRecord,
  ClaimedBatch,
  FirstRecord,
  MissingRecord,
  PartitionItem,
  Progress,
  RecordIdentity,
} from '../../decide/progress.ts';
import { StoreError } from '../../ports/store-error.ts';
import { decodeRanges, encodeRanges, lowest, type OffsetRanges } from '../../record/offset-ranges.ts';
import type { Offset } from '../../record/units.ts';
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
import { decodeBlockedRecord, encodeBlockedRecord, identityFields, readIdentity } from './ledger-blocked-record.ts';
import { decodeFirstRecords, encodeFirstRecords } from './ledger-first-records.ts';

/** Format of the ledger's items, in attribute `v`. An item of any other format is refused. */
export const LEDGER_VERSION = 2;
/** The same of a partition that has parked keys: code that does not know them would run what waits behind them, so it refuses the item. */
export const PARKED_VERSION = 3;

/** Every attribute that holds progress. A write sets the present ones and removes the others. docs/architecture.md */
export const PROGRESS_ATTRIBUTES = [
  'settled',
  'pending',
  'floor',
  'firstRecords',
  'newestTimestamp',
  'blockedRecords',
  'missingRecord',
  'abandoned',
  'replayRefused',
  'newestRefused',
  'skipBelow',
  'runBelow',
  'isolateUntil',
  'running',
  'pausedUntil',
  'consecutiveDeadLetters',
  'deadLetterLimit',
  'oneRecordPerCall',
  'goneMarks',
] as const;

/** Progress as attributes. Empty, zero and absent fields have no attribute. */
export function encodeProgress(progress: Progress): Sparse<(typeof PROGRESS_ATTRIBUTES)[number]> {
  const { settled, pending, replayRefused, firstRecords, blockedRecords, missingRecord, running } = progress;
  return {
    settled: ranges(settled),
    pending: ranges(pending),
    floor: maybeNumber(progress.floor),
    firstRecords: firstRecords.length === 0 ? undefined : { B: encodeFirstRecords(firstRecords) },
    newestTimestamp: maybeNumber(progress.newestTimestamp),
    blockedRecords: blockedRecords.size === 0 ? undefined : encodeBlockedRecords(blockedRecords),
    missingRecord:
      missingRecord &&
      map({
        offset: number(missingRecord.offset),
        since: number(missingRecord.since),
        laterBatches: number(missingRecord.laterBatches),
      }),
    abandoned: progress.abandoned && ranges(progress.abandoned),
    replayRefused: ranges(replayRefused),
    newestRefused: maybeNumber(progress.newestRefused),
    skipBelow: maybeNumber(progress.skipBelow),
    runBelow: maybeNumber(progress.runBelow),
    isolateUntil: maybeNumber(progress.isolateUntil),
    running: running && map({ offset: number(running.offset), ...identityFields(running) }),
    pausedUntil: maybeNumber(progress.pausedUntil),
    consecutiveDeadLetters: maybeNumber(progress.consecutiveDeadLetters || undefined),
    deadLetterLimit: limit(progress.maxConsecutiveDeadLetters),
    oneRecordPerCall: flag(progress.oneRecordPerCall),
    goneMarks: progress.goneMarks && { L: progress.goneMarks.map(encodeGoneMark) },
  };
}

/**
 * An entry of `claims`: the encoded offsets, then the timestamp and the value hash of the first record where they are known,
 * then a space and the owner. It is text, so that `list_append` can add it without a read. Base 36 is exact up to 2^53; a
 * record with a larger timestamp is left out.
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
  return readable(item, () => partitionItem(item), PARKED_VERSION);
}

/** An item, `undefined` where there is none, or one of another sequence; emulators answer with an empty one. */
export function itemOf(found: Attributes | undefined, sequence?: string): PartitionItem | undefined {
  if (found === undefined || Object.keys(found).length === 0) return undefined;
  return sequence !== undefined && found['sequence']?.S !== sequence ? undefined : decodePartitionItem(found);
}

function partitionItem(item: Attributes): PartitionItem {
  const parked = item['parked'] === undefined ? 0 : readNumber(item, 'parked');
  return {
    epoch: readNumber(item, 'epoch'),
    rev: readNumber(item, 'rev'),
    ...optional('owner', readText, item, 'owner'),
    leaseUntil: readNumber(item, 'leaseUntil'),
    claims: item['claims'] === undefined ? [] : readList(item, 'claims').map(decodeClaim),
    progress: {
      settled: readRanges(item, 'settled'),
      pending: readRanges(item, 'pending'),
      ...optional('floor', readNumber, item, 'floor'),
      firstRecords: item['firstRecords'] === undefined ? [] : readFirstRecords(item, 'firstRecords'),
      ...optional('newestTimestamp', readNumber, item, 'newestTimestamp'),
      blockedRecords: item['blockedRecords'] === undefined ? new Map() : readBlockedRecords(item, 'blockedRecords'),
      ...optional('missingRecord', readMissingRecord, item, 'missingRecord'),
      ...optional('abandoned', readRanges, item, 'abandoned'),
      replayRefused: readRanges(item, 'replayRefused'),
      ...optional('newestRefused', readNumber, item, 'newestRefused'),
      ...optional('skipBelow', readNumber, item, 'skipBelow'),
      ...optional('runBelow', readNumber, item, 'runBelow'),
      ...optional('isolateUntil', readNumber, item, 'isolateUntil'),
      ...optional('running', readRunning, item, 'running'),
      ...optional('pausedUntil', readNumber, item, 'pausedUntil'),
      consecutiveDeadLetters:
        item['consecutiveDeadLetters'] === undefined ? 0 : readNumber(item, 'consecutiveDeadLetters'),
      ...optional('maxConsecutiveDeadLetters', readLimit, item, 'deadLetterLimit'),
      ...optional('oneRecordPerCall', readFlag, item, 'oneRecordPerCall'),
      ...optional('goneMarks', readGoneMarks, item, 'goneMarks'),
    },
    ...(parked > 0 && { parked }),
  };
}

/**
 * An item of this format, as `read` reads it.
 *
 * @throws StoreError LEDGER_ITEM_UNREADABLE where the format is another one, is missing, or is not what `read` expects
 */
export function readable<T>(item: Attributes, read: () => T, newest = LEDGER_VERSION): T {
  const name = item['pk']?.S ?? JSON.stringify(item);
  const version = Number(item['v']?.N);
  if (!(version >= LEDGER_VERSION && version <= newest)) {
    const found = item['v'] === undefined ? 'none' : JSON.stringify(item['v']);
    throw unreadable(
      `ledger item ${name} has format version ${found}, this code reads ${LEDGER_VERSION}${newest > LEDGER_VERSION ? ` and ${newest}` : ''}`,
    );
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

/** A limit of `Infinity` as text: DynamoDB has no such number. */
const NO_LIMIT = 'none';

function limit(value: number | undefined): AttributeValue | undefined {
  return value === Number.POSITIVE_INFINITY ? text(NO_LIMIT) : maybeNumber(value);
}

function readLimit(from: Attributes, name: string): number {
  return from[name]?.S === NO_LIMIT ? Number.POSITIVE_INFINITY : readNumber(from, name);
}

function encodeBlockedRecords(blockedRecords: ReadonlyMap<Offset, BlockedRecord>): AttributeValue {
  const fields: Record<string, AttributeValue> = {};
  for (const [offset, blocked] of blockedRecords) fields[String(offset)] = encodeBlockedRecord(blocked);
  return { M: fields };
}

function readBlockedRecords(from: Attributes, name: string): ReadonlyMap<Offset, BlockedRecord> {
  const fields = readMap(from, name);
  const offsets = Object.keys(fields).map(Number);
  // DynamoDB's maps have no order.
  return new Map(offsets.sort((a, b) => a - b).map((at) => [at, decodeBlockedRecord(readMap(fields, String(at)), at)]));
}

/** Two of them may be of one offset: of records of different lives of the topic. */
function encodeGoneMark(mark: BlockedRecord): AttributeValue {
  const { M = {} } = encodeBlockedRecord(mark);
  return { M: { ...M, offset: number(mark.offset) } };
}

function readGoneMarks(from: Attributes, name: string): readonly BlockedRecord[] {
  return readList(from, name).map(({ M = {} }) => decodeBlockedRecord(M, readNumber(M, 'offset')));
}

function readFirstRecords(from: Attributes, name: string): readonly FirstRecord[] {
  return decodeFirstRecords(readBytes(from, name));
}

function readMissingRecord(from: Attributes, name: string): MissingRecord {
  const fields = readMap(from, name);
  return {
    offset: readNumber(fields, 'offset'),
    since: readNumber(fields, 'since'),
    laterBatches: readNumber(fields, 'laterBatches'),
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
