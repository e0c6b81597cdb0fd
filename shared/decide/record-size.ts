import type { RecordHeader } from '../record/record-headers.ts';

/**
 * Most that Kafka's format adds to one record in a batch of its own: the batch's header (61 bytes), the record's length,
 * attributes, timestamp and offset deltas, and the number of headers. https://kafka.apache.org/documentation/#recordbatch
 */
const FORMAT_BYTES = 61 + 5 + 1 + 10 + 5 + 5;

/** What of a record has a size. */
export interface SizedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** Bytes that a record takes as a batch of its own, uncompressed: what `max.message.bytes` is compared with. At most 21 bytes too many. */
export function recordBytes({ key, value, headers }: SizedRecord): number {
  return FORMAT_BYTES + sized(key?.length ?? 0) + sized(value?.length ?? 0) + headerBytes(headers);
}

/** Bytes that headers take in a record. */
export function headerBytes(headers: readonly RecordHeader[]): number {
  return headers.reduce((bytes, { name, value }) => bytes + sized(Buffer.byteLength(name)) + sized(value.length), 0);
}

/** A length and what it is the length of; lengths are zigzag varints. */
function sized(length: number): number {
  let bytes = 1;
  for (let rest = length * 2; rest > 127; rest = Math.floor(rest / 128)) bytes++;
  return bytes + length;
}
