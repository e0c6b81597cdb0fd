import type { KafkaMessage } from 'kafkajs';
import { partitionName, type TopicPartition } from '../../../shared/record/item-identifier.ts';
import type { QueuedRecord } from './decide.ts';

/** A fetched record with its JSON as it stands in the event: encoded once, however often it is sent. */
export interface EncodedRecord extends QueuedRecord {
  readonly json: string;
  readonly key: Buffer | null;
}

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
export function encodeRecord(prefix: RecordPrefix, message: KafkaMessage): EncodedRecord {
  const { key, value, timestamp } = message;
  let json = `${prefix.json}${message.offset},"timestamp":${timestamp},"timestampType":"${timestampType(message)}"`;
  if (key !== null) json += `,"key":"${key.toString('base64')}"`;
  if (value !== null) json += `,"value":"${value.toString('base64')}"`;
  const headers = message.headers ? headersJson(message.headers) : '';
  json += `,"headers":[${headers}]}`;
  // All but header names is ASCII.
  const bytes = headers === '' ? json.length : Buffer.byteLength(json);
  return { offset: Number(message.offset), timestamp: Number(timestamp), bytes, json, key };
}

function headersJson(headers: NonNullable<KafkaMessage['headers']>): string {
  let json = '';
  for (const name in headers) {
    const values = headers[name];
    for (const value of Array.isArray(values) ? values : [values]) {
      json += `${json === '' ? '' : ','}{${JSON.stringify(name)}:[${value == null ? '' : signedBytes(value)}]}`;
    }
  }
  return json;
}

/** Java's bytes: -128 to 127. */
function signedBytes(value: Buffer | string): string {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length).join(',');
}

/** kafkajs keeps the batch's timestamp type where its types do not show it. */
function timestampType(message: object): 'CREATE_TIME' | 'LOG_APPEND_TIME' {
  if (!('batchContext' in message)) return 'CREATE_TIME';
  const { batchContext } = message;
  if (typeof batchContext !== 'object' || batchContext === null || !('timestampType' in batchContext)) {
    return 'CREATE_TIME';
  }
  return batchContext.timestampType === LOG_APPEND_TIME ? 'LOG_APPEND_TIME' : 'CREATE_TIME';
}

/** kafkajs/src/protocol/timestampTypes.js */
const LOG_APPEND_TIME = 1;
