import type { OriginalBytes } from '../../ports/original-reader.ts';
import type { RecordHeader } from '../../record/record-headers.ts';
import type { Offset } from '../../record/units.ts';
import { decompress } from './record-compression.ts';
import { RecordReader } from './record-reader.ts';

/** A batch as the broker keeps it, its records not parsed yet. https://kafka.apache.org/documentation/#recordbatch */
export interface RecordBatch {
  readonly firstOffset: Offset;
  /** Compaction keeps it, even where the record itself is removed. */
  readonly lastOffset: Offset;
  readonly producerId: bigint;
  readonly isTransactional: boolean;
  /** The batch has one transaction marker instead of records. */
  readonly isControl: boolean;
  readonly compression: number;
  readonly firstTimestamp: number;
  /** The time of all its records, where the topic sets the time of their arrival. */
  readonly appendedAt: number | undefined;
  readonly count: number;
  readonly body: Buffer;
}

const MAGIC = 2;
const COMPRESSION_MASK = 0x07;
const APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
/** First offset and length, which precede what the length counts. */
const PREFIX_BYTES = 12;
/** Leader epoch, then the magic byte. */
const MAGIC_AT = 4;

/**
 * The whole batches of a fetched part of a log. The last one is often cut off, and is left out.
 *
 * @throws TypeError for records written in the format before Kafka 0.11
 */
export function readBatches(piece: Buffer): RecordBatch[] {
  const reader = new RecordReader(piece);
  const batches: RecordBatch[] = [];
  while (reader.left > PREFIX_BYTES) {
    const firstOffset = reader.int64();
    const length = reader.int32();
    if (length > reader.left) break;
    batches.push(readBatch(firstOffset, reader.bytes(length)));
  }
  return batches;
}

function readBatch(firstOffset: Offset, bytes: Buffer): RecordBatch {
  const magic = bytes.readInt8(MAGIC_AT);
  if (magic !== MAGIC)
    throw new TypeError(`records of format ${magic} at offset ${firstOffset}, expected format ${MAGIC}`);
  const reader = new RecordReader(bytes);
  reader.bytes(MAGIC_AT + 1 + 4); // leader epoch, magic, checksum: TCP has one too
  const attributes = reader.int16();
  const lastOffset = firstOffset + reader.int32();
  const firstTimestamp = reader.int64();
  const maxTimestamp = reader.int64();
  const producerId = reader.id64();
  reader.bytes(2 + 4); // producer epoch, first sequence
  const count = reader.int32();
  return {
    firstOffset,
    lastOffset,
    producerId,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    compression: attributes & COMPRESSION_MASK,
    firstTimestamp,
    appendedAt: (attributes & APPEND_TIME) !== 0 ? maxTimestamp : undefined,
    count,
    body: reader.bytes(reader.left),
  };
}

/** A record of a batch. */
export interface RecordOfBatch {
  readonly offset: Offset;
  readonly record: OriginalBytes;
}

/** The records of a batch, in offset order, with transaction markers. @throws TypeError for an unknown compression */
export async function readRecords(batch: RecordBatch): Promise<RecordOfBatch[]> {
  return [...(await unpackBatch(batch))];
}

/**
 * Like {@link readRecords}, but each record is created when it is read: thousands of records with twenty headers each fill a
 * heap.
 */
export async function unpackBatch(batch: RecordBatch): Promise<Iterable<RecordOfBatch>> {
  return recordsIn(batch, await decompress(batch.compression, batch.body));
}

function* recordsIn(batch: RecordBatch, bytes: Buffer): Generator<RecordOfBatch> {
  const reader = new RecordReader(bytes);
  for (let left = batch.count; left > 0; left--)
    yield readRecord(batch, new RecordReader(reader.bytes(reader.varint())));
}

function readRecord(batch: RecordBatch, reader: RecordReader): RecordOfBatch {
  reader.int8(); // attributes: unused by Kafka
  const timestamp = batch.firstTimestamp + reader.varint();
  const offset = batch.firstOffset + reader.varint();
  const key = reader.nullable(reader.varint());
  const value = reader.nullable(reader.varint());
  const headers = Array.from({ length: reader.varint() }, () => readHeader(reader));
  return { offset, record: { key, value, headers, timestamp: batch.appendedAt ?? timestamp } };
}

/** A header without a value gets an empty one, as in the events of a mapping. */
function readHeader(reader: RecordReader): RecordHeader {
  const name = reader.bytes(reader.varint()).toString('utf8');
  return { name, value: reader.nullable(reader.varint()) ?? Buffer.alloc(0) };
}
