import type { RecordHeader } from '../record/record-headers.ts';

/**
 * The most bytes that Kafka's format adds to one record in a batch of its own: the batch's header (61 bytes), the record's
 * length, attributes, timestamp and offset deltas, and the number of headers.
 * https://kafka.apache.org/documentation/#recordbatch
 */
const FORMAT_BYTES = 61 + 5 + 1 + 10 + 5 + 5;

/** The parts of a record that have a size. */
export interface SizedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** Bytes of a record in a batch of its own, uncompressed. `max.message.bytes` limits this figure. At most 21 bytes too high. */
export function recordBytes({ key, value, headers }: SizedRecord): number {
  return FORMAT_BYTES + sized(key?.length ?? 0) + sized(value?.length ?? 0) + headerBytes(headers);
}

/** Bytes that headers take in a record. */
export function headerBytes(headers: readonly RecordHeader[]): number {
  return headers.reduce((bytes, { name, value }) => bytes + sized(Buffer.byteLength(name)) + sized(value.length), 0);
}

/** The bytes of something and of its length. Lengths are zigzag varints. */
function sized(length: number): number {
  let bytes = 1;
  for (let rest = length * 2; rest > 127; rest = Math.floor(rest / 128)) bytes++;
  return bytes + length;
}
