import { LockstepError } from '../errors.ts';
import { DeliveredRecord, type RawRecord } from './delivered-record.ts';
import { clusterUuid, type TopicPartition } from './item-identifier.ts';

/** What Lambda's Kafka mapping sends. https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html */
export interface KafkaEvent {
  readonly eventSource: 'aws:kafka' | 'SelfManagedKafka' | 'aws:SelfManagedKafka';
  /** Absent for a self-managed cluster. */
  readonly eventSourceArn?: string;
  /** Comma-separated. */
  readonly bootstrapServers: string;
  /** By `<topic>-<partition>`. */
  readonly records: Readonly<Record<string, readonly RawRecord[]>>;
}

/** The records of one partition in an event, in offset order. */
export interface DeliveredPartition extends TopicPartition {
  /** The key of `event.records`, unchanged. It is never parsed, since topic names may contain dashes too. */
  readonly identifier: string;
  readonly records: readonly DeliveredRecord[];
}

/** A validated event. */
export interface DeliveredEvent {
  /** The cluster's uuid, or its bootstrap servers where it has no ARN. */
  readonly cluster: string;
  /** As the event has it; absent for a self-managed cluster. */
  readonly eventSourceArn?: string;
  readonly partitions: readonly DeliveredPartition[];
}

const EVENT_SOURCES: readonly unknown[] = ['aws:kafka', 'SelfManagedKafka', 'aws:SelfManagedKafka'];

/**
 * Validates an event and groups its records by partition. Decodes no record.
 *
 * @throws LockstepError EVENT_NOT_KAFKA, EVENT_RECORD_MALFORMED: nothing of the event is handled, so nothing is lost
 */
export function parseKafkaEvent(event: unknown): DeliveredEvent {
  const { eventSource, eventSourceArn, bootstrapServers, records } = isObject(event) ? event : {};
  if (!EVENT_SOURCES.includes(eventSource)) {
    throw new LockstepError(
      'EVENT_NOT_KAFKA',
      `expected an event with \`eventSource\` \`aws:kafka\` or \`SelfManagedKafka\`, got ${describe(eventSource)}`,
    );
  }
  if (!isObject(records)) {
    throw new LockstepError(
      'EVENT_NOT_KAFKA',
      `expected \`event.records\` to be an object of arrays, got ${describe(records)}`,
    );
  }
  const isOfMsk = typeof eventSourceArn === 'string' && eventSourceArn !== '';
  return {
    ...(isOfMsk
      ? { cluster: clusterUuid(eventSourceArn), eventSourceArn }
      : { cluster: typeof bootstrapServers === 'string' ? bootstrapServers : '' }),
    partitions: Object.entries(records).flatMap(([identifier, raw]) => deliveredPartition(identifier, raw)),
  };
}

function deliveredPartition(identifier: string, raw: unknown): DeliveredPartition[] {
  if (!Array.isArray(raw)) throw malformed(identifier, `expected an array of records, got ${describe(raw)}`);
  const records = raw.map((record: unknown, index) => deliveredRecord(identifier, index, record));
  const first = records[0];
  if (first === undefined) return [];
  if (records.some(({ topic, partition }) => topic !== first.topic || partition !== first.partition)) {
    throw malformed(identifier, 'expected the records of one partition of one topic');
  }
  let previous = -1;
  for (const { offset } of records) {
    if (offset <= previous)
      throw malformed(identifier, `expected offsets in ascending order, got ${offset} after ${previous}`);
    previous = offset;
  }
  return [{ identifier, topic: first.topic, partition: first.partition, records }];
}

function deliveredRecord(identifier: string, index: number, raw: unknown): DeliveredRecord {
  const fault = isObject(raw) ? faultOf(raw) : `expected a record, got ${describe(raw)}`;
  if (fault !== undefined) throw malformed(`${identifier}[${index}]`, fault);
  // Without a fault it is a record, and nearly always as it came.
  const record = raw as RawRecord;
  const partition = partitionNumber(record.partition);
  return new DeliveredRecord(partition === record.partition ? record : { ...record, partition });
}

/** Why it is no record; `undefined` for one. */
function faultOf({ topic, partition, offset, timestamp, key, value, headers }: Fields): string | undefined {
  if (typeof topic !== 'string' || topic === '') return notA('a string', 'topic', describe(topic));
  if (!isNatural(partitionNumber(partition))) return notA('an integer >= 0', 'partition', describe(partition));
  if (!isNatural(offset)) return notA('an integer >= 0', 'offset', describe(offset));
  if (!isKafkaTime(timestamp)) return notA('a 64-bit integer', 'timestamp', describe(timestamp));
  if (!isBase64(key)) return notA('base64 text or null', 'key', kindOf(key));
  if (!isBase64(value)) return notA('base64 text or null', 'value', kindOf(value));
  return isHeaders(headers) ? undefined : 'expected `headers` to be a list of objects with lists of bytes';
}

function notA(expected: string, field: string, found: string): string {
  return `expected \`${field}\` to be ${expected}, got ${found}`;
}

/** Very old events give the partition as a string. */
function partitionNumber<T>(partition: T): T | number {
  return typeof partition === 'string' && /^\d+$/.test(partition) ? Number(partition) : partition;
}

function malformed(place: string, what: string): LockstepError {
  return new LockstepError('EVENT_RECORD_MALFORMED', `event.records.${place}: ${what}`);
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Kafka's times are 64-bit integers. Any other number would be written to the ledger, which could not read it back. */
function isKafkaTime(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) <= 2 ** 63;
}

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** How many characters are checked for base64. Other text shows itself soon, and values may be large. */
const LOOK = 16;

/** Whether it may be base64 text. Lambda sends nothing else; a test or a middleware may. */
function isBase64(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== 'string' || value.length % 4 !== 0) return false;
  let end = value.length;
  while (end > value.length - 2 && value.charCodeAt(end - 1) === PADDING) end--;
  // Not a regular expression: this is done for each key and each value.
  for (let at = 0; at < end; at++) {
    if (at === LOOK) at = Math.max(at, end - LOOK);
    if (IS_BASE64_DIGIT[value.charCodeAt(at)] !== 1) return false;
  }
  return true;
}

const BASE64_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** By character code. */
const IS_BASE64_DIGIT = Uint8Array.from({ length: 128 }, (_, code) =>
  BASE64_DIGITS.includes(String.fromCharCode(code)) ? 1 : 0,
);
const PADDING = '='.charCodeAt(0);

function isHeaders(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (!Array.isArray(value)) return false;
  // Not `every`, which skips holes.
  for (let index = 0; index < value.length; index++) if (!isHeader(value[index])) return false;
  return true;
}

function isHeader(header: unknown): boolean {
  if (!isObject(header)) return false;
  for (const name of Object.keys(header)) if (!isBytes(header[name])) return false;
  return true;
}

/** Only the first of them is looked at: the others are read with the header. */
function isBytes(value: unknown): boolean {
  return value === null || (Array.isArray(value) && (value.length === 0 || typeof value[0] === 'number'));
}

/** The kind of what may be a value: nothing of it is told. */
function kindOf(value: unknown): string {
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'string' ? 'other text' : `a ${typeof value}`;
}

/** The type of a value, and the value itself where it is short and not part of a record. */
function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return `\`${String(value).slice(0, 80)}\` (${typeof value})`;
}
