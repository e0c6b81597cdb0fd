import type { OriginalRecordAt } from '../../../shared/ports/original-reader.ts';
import { partitionName, type TopicPartition } from '../../../shared/record/item-identifier.ts';
import type { RecordHeader } from '../../../shared/record/record-headers.ts';
import type { QueuedRecord } from './decide.ts';

/** A fetched record with its JSON as it stands in the event: encoded once, however often it is sent. */
export interface EncodedRecord extends QueuedRecord {
  readonly json: string;
  readonly key: Buffer | null;
}

/** Who stamped a record: its producer, or the broker as it arrived. */
export type TimestampType = 'CREATE_TIME' | 'LOG_APPEND_TIME';

/** What records of one partition have in common. */
export interface RecordPrefix {
  readonly name: string;
  readonly json: string;
}

export function recordPrefix({ topic, partition }: TopicPartition): RecordPrefix {
  return { name: partitionName({ topic, partition }), json: `{"topic":"${topic}","partition":${partition},"offset":` };
}

/**
 * A record as Lambda sends it, by string concatenation: base64 key and value, header bytes signed, a missing key or value
 * left out. https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html
 */
export function encodeRecord(
  prefix: RecordPrefix,
  { offset, record: { key, value, headers, timestamp } }: OriginalRecordAt,
  timestampType: TimestampType = 'CREATE_TIME',
): EncodedRecord {
  let json = `${prefix.json}${offset},"timestamp":${timestamp},"timestampType":"${timestampType}"`;
  if (key !== null) json += `,"key":"${key.toString('base64')}"`;
  if (value !== null) json += `,"value":"${value.toString('base64')}"`;
  json += `,"headers":[${headers.map(headerJson).join(',')}]}`;
  // All but header names is ASCII.
  const bytes = headers.length === 0 ? json.length : Buffer.byteLength(json);
  return { offset, timestamp, bytes, json, key };
}

/** Java's bytes: -128 to 127. */
function headerJson({ name, value }: RecordHeader): string {
  return `{${JSON.stringify(name)}:[${new Int8Array(value.buffer, value.byteOffset, value.length).join(',')}]}`;
}
