import type { Position } from '../record/item-identifier.ts';
import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs } from '../record/units.ts';
import type { ParkedPlace, Stage } from './progress.ts';

/** Where a record was first. A record that was dead-lettered before says so in its headers. */
export interface Origin extends Position {
  readonly timestamp: EpochMs;
}

/** What a dead letter says, whatever the header names. */
export interface DeadLetterFacts {
  readonly origin: Origin;
  /** As the event names it. */
  readonly timestampType: string | undefined;
  readonly group: string;
  readonly name: string;
  readonly stage: Stage;
  readonly message: string;
  readonly stack: string;
}

/** Our own header names of a record's first place. */
export const ORIGIN_HEADERS = [
  'x-original-topic',
  'x-original-partition',
  'x-original-offset',
  'x-original-timestamp',
] as const;

/** A header of UTF-8 text. */
export function textHeader(name: string, text: string): RecordHeader {
  return { name, value: Buffer.from(text) };
}

/** Our own headers of an origin, all of them text. */
export function originHeaders({ topic, partition, offset, timestamp }: Origin): RecordHeader[] {
  return [
    textHeader(ORIGIN_HEADERS[0], topic),
    textHeader(ORIGIN_HEADERS[1], String(partition)),
    textHeader(ORIGIN_HEADERS[2], String(offset)),
    textHeader(ORIGIN_HEADERS[3], String(timestamp)),
  ];
}

/** In the letter of a parked record. */
const SEQUENCE_HEADER = 'x-parked-sequence';
const ORDINAL_HEADER = 'x-parked-ordinal';

/** Says which place a record has among those of its parked key. */
export function parkedHeaders({ sequence, ordinal }: ParkedPlace): RecordHeader[] {
  return [textHeader(SEQUENCE_HEADER, sequence), textHeader(ORDINAL_HEADER, String(ordinal))];
}

/** Reads {@link parkedHeaders} back; `undefined` for the letter of a record that is not parked. */
export function readParked(headers: readonly RecordHeader[]): ParkedPlace | undefined {
  const sequence = textOf(headers, SEQUENCE_HEADER);
  const ordinal = countOf(headers, ORDINAL_HEADER);
  return sequence === '' || ordinal < 1 ? undefined : { sequence, ordinal };
}

/** The index of our first header. We add ours at the end, and the origin's topic is the first of them. */
function ourStart(headers: readonly RecordHeader[]): number {
  const start = headers.findLastIndex(({ name }) => name === ORIGIN_HEADERS[0]);
  return start < 0 ? headers.length : start;
}

/** The headers that we added to a record. Those before them came with the record and cannot be trusted. */
export function ourHeaders(headers: readonly RecordHeader[]): readonly RecordHeader[] {
  return headers.slice(ourStart(headers));
}

/** The headers that came with the record. */
export function headersBefore(headers: readonly RecordHeader[]): readonly RecordHeader[] {
  return headers.slice(0, ourStart(headers));
}

/** The last header of that name as text; empty where there is none. */
export function textOf(headers: readonly RecordHeader[], name: string): string {
  return headers.findLast((header) => header.name === name)?.value.toString() ?? '';
}

/** The last header of that name as a count; 0 if it is not digits. */
export function countOf(headers: readonly RecordHeader[], name: string): number {
  const text = textOf(headers, name);
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

/** Kafka's partitions are 32-bit numbers, its timestamps are 64-bit numbers. */
const MAX_PARTITION = 2 ** 31 - 1;
const MAX_LONG = 2n ** 63n - 1n;

/** Reads {@link originHeaders} back; `undefined` where one is missing or not usable. Anybody may have written them. */
export function readOrigin(headers: readonly RecordHeader[]): Origin | undefined {
  const topic = textOf(headers, ORIGIN_HEADERS[0]);
  const partition = integerOf(headers, ORIGIN_HEADERS[1]);
  const offset = integerOf(headers, ORIGIN_HEADERS[2]);
  const timestamp = integerOf(headers, ORIGIN_HEADERS[3]);
  const isPlace = partition >= 0 && partition <= MAX_PARTITION && offset >= 0 && Number.isSafeInteger(offset);
  const isUsable = topic !== '' && isPlace && Math.abs(timestamp) <= 2 ** 63;
  return isUsable ? { topic, partition, offset, timestamp } : undefined;
}

/** The last header of that name as an integer; NaN if it is none. */
function integerOf(headers: readonly RecordHeader[], name: string): number {
  const text = textOf(headers, name);
  return /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * The header names and encodings of Spring's DeadLetterPublishingRecoverer. Numbers are big-endian.
 * https://docs.spring.io/spring-kafka/reference/kafka/annotation-error-handling.html#dead-letters
 */
export function springHeaders({ origin, timestampType, group, name, message, stack }: DeadLetterFacts): RecordHeader[] {
  const int = Buffer.alloc(4);
  int.writeInt32BE(origin.partition);
  return [
    textHeader('kafka_dlt-original-topic', origin.topic),
    { name: 'kafka_dlt-original-partition', value: int },
    { name: 'kafka_dlt-original-offset', value: long(origin.offset) },
    { name: 'kafka_dlt-original-timestamp', value: long(origin.timestamp) },
    textHeader(
      'kafka_dlt-original-timestamp-type',
      timestampType === 'LOG_APPEND_TIME' ? 'LogAppendTime' : 'CreateTime',
    ),
    textHeader('kafka_dlt-original-consumer-group', group),
    textHeader('kafka_dlt-exception-fqcn', name),
    textHeader('kafka_dlt-exception-message', message),
    textHeader('kafka_dlt-exception-stacktrace', stack),
  ];
}

/**
 * The header names of Kafka Connect's dead letters, all of them text. Connect has its own names for the stages.
 * https://github.com/apache/kafka/blob/trunk/connect/runtime/src/main/java/org/apache/kafka/connect/runtime/errors/DeadLetterQueueReporter.java
 */
export function connectHeaders({ origin, group, name, stage, message, stack }: DeadLetterFacts): RecordHeader[] {
  const prefix = '__connect.errors.';
  return [
    textHeader(`${prefix}topic`, origin.topic),
    textHeader(`${prefix}partition`, String(origin.partition)),
    textHeader(`${prefix}offset`, String(origin.offset)),
    textHeader(`${prefix}connector.name`, group),
    textHeader(`${prefix}task.id`, String(origin.partition)),
    textHeader(`${prefix}stage`, stage === 'decode' || stage === 'validate' ? 'VALUE_CONVERTER' : 'TASK_PUT'),
    textHeader(`${prefix}class.name`, 'lockstep'),
    textHeader(`${prefix}exception.class.name`, name),
    textHeader(`${prefix}exception.message`, message),
    textHeader(`${prefix}exception.stacktrace`, stack),
  ];
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  // An event rounds up the highest timestamp that a producer can set.
  bytes.writeBigInt64BE(value >= 2 ** 63 ? MAX_LONG : BigInt(Math.trunc(Math.max(value, -(2 ** 63)))));
  return bytes;
}
