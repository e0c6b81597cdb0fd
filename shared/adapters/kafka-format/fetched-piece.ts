import type { Offset } from '../../record/units.ts';
import type { AbortedTransaction } from './committed-batches.ts';
import { type RecordBatch, readBatches } from './record-batch.ts';
import { RecordReader } from './record-reader.ts';

/** The answer of a broker for one partition. */
export interface FetchedPiece {
  /** Everything below this offset is committed or rolled back. */
  readonly lastStable: Offset;
  /** The first offset that the partition still holds. */
  readonly logStart: Offset;
  readonly aborted: readonly AbortedTransaction[];
  /** Whole batches. The first may begin before the requested offset. */
  readonly batches: readonly RecordBatch[];
}

/** The same, with its batches not parsed yet. */
export interface RawPiece extends Omit<FetchedPiece, 'batches'> {
  readonly partition: number;
  /** 0: none. https://kafka.apache.org/protocol#protocol_error_codes */
  readonly errorCode: number;
  readonly records: Buffer;
}

/**
 * Reads the answer to a Fetch of one topic, version 11. kafkajs's own reader loses the order of headers and the end of
 * compacted batches, and lets some rolled back records through. https://kafka.apache.org/protocol#The_Messages_Fetch
 */
export function readFetchAnswer(payload: Buffer): {
  readonly errorCode: number;
  readonly pieces: readonly RawPiece[];
} {
  const reader = new RecordReader(payload);
  reader.int32(); // throttle time
  const errorCode = reader.int16();
  reader.int32(); // session
  const pieces = reader.array(() => {
    reader.string(); // topic
    return reader.array(() => readPiece(reader));
  });
  return { errorCode, pieces: pieces.flat() };
}

function readPiece(reader: RecordReader): RawPiece {
  const partition = reader.int32();
  const errorCode = reader.int16();
  reader.int64(); // high watermark
  const lastStable = reader.int64();
  const logStart = reader.int64();
  const aborted = reader.array(() => ({ producerId: reader.id64(), firstOffset: reader.int64() }));
  reader.int32(); // replica to be read from instead
  const records = reader.nullable(reader.int32()) ?? Buffer.alloc(0);
  return { partition, errorCode, lastStable, logStart, aborted, records };
}

/** @throws TypeError for records written in the format before Kafka 0.11 */
export function pieceOf({ lastStable, logStart, aborted, records }: RawPiece): FetchedPiece {
  return { lastStable, logStart, aborted, batches: readBatches(records) };
}
