import type { Position } from '../record/item-identifier.ts';
import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs } from '../record/units.ts';
import type { Stage } from './progress.ts';

/** What the headers of other systems say in their own words. */
export interface ToldDeath {
  readonly record: Position & { readonly timestamp: EpochMs };
  readonly group: string;
  readonly name: string;
  readonly stage: Stage;
  readonly message: string;
  readonly stack: string;
}

/** A header of UTF-8 text. */
export function textHeader(name: string, text: string): RecordHeader {
  return { name, value: Buffer.from(text) };
}

/** Bytes that headers take in a record, at most: name, value, two lengths. */
export function headerBytes(headers: readonly RecordHeader[]): number {
  return headers.reduce((bytes, { name, value }) => bytes + Buffer.byteLength(name) + value.length + 10, 0);
}

/**
 * The names and encodings of Spring's DeadLetterPublishingRecoverer: numbers are big-endian.
 * https://docs.spring.io/spring-kafka/reference/kafka/annotation-error-handling.html#dead-letters
 */
export function springHeaders({ record, group, name, message, stack }: ToldDeath): RecordHeader[] {
  const int = Buffer.alloc(4);
  int.writeInt32BE(record.partition);
  return [
    textHeader('kafka_dlt-original-topic', record.topic),
    { name: 'kafka_dlt-original-partition', value: int },
    { name: 'kafka_dlt-original-offset', value: long(record.offset) },
    { name: 'kafka_dlt-original-timestamp', value: long(record.timestamp) },
    textHeader('kafka_dlt-original-consumer-group', group),
    textHeader('kafka_dlt-exception-fqcn', name),
    textHeader('kafka_dlt-exception-message', message),
    textHeader('kafka_dlt-exception-stacktrace', stack),
  ];
}

/**
 * The names of Kafka Connect's dead letters, all of them text.
 * https://github.com/apache/kafka/blob/trunk/connect/runtime/src/main/java/org/apache/kafka/connect/runtime/errors/DeadLetterQueueReporter.java
 */
export function connectHeaders({ record, group, name, stage, message, stack }: ToldDeath): RecordHeader[] {
  const prefix = '__connect.errors.';
  return [
    textHeader(`${prefix}topic`, record.topic),
    textHeader(`${prefix}partition`, String(record.partition)),
    textHeader(`${prefix}offset`, String(record.offset)),
    textHeader(`${prefix}connector.name`, group),
    textHeader(`${prefix}stage`, stage),
    textHeader(`${prefix}exception.class.name`, name),
    textHeader(`${prefix}exception.message`, message),
    textHeader(`${prefix}exception.stacktrace`, stack),
  ];
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(Math.trunc(value)));
  return bytes;
}
