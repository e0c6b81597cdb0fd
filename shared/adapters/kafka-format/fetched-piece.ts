import type { Offset } from '../../record/units.ts';
import type { AbortedTransaction } from './committed-batches.ts';
import { type RecordBatch, readBatches } from './record-batch.ts';
import { RecordReader } from './record-reader.ts';

/** What a broker gives of one partition. */
export interface FetchedPiece {
  /** 0: none. https://kafka.apache.org/protocol#protocol_error_codes */
  readonly errorCode: number;
  /** Everything below is decided: committed or rolled back. */
  readonly lastStable: Offset;
  /** The first offset that is still held. */
  readonly logStart: Offset;
  readonly aborted: readonly AbortedTransaction[];
  /** Whole batches; the first may begin before the offset that was asked for. */
  readonly batches: readonly RecordBatch[];
}

/**
 * Reads the answer to a Fetch of one partition, version 11: kafkajs's own reading loses the order of headers and the end of
 * compacted batches, and lets some rolled back records through. https://kafka.apache.org/protocol#The_Messages_Fetch
 *
 * @throws TypeError where the answer is not about one partition
 */
export function readFetchAnswer(payload: Buffer): FetchedPiece {
  const reader = new RecordReader(payload);
  reader.int32(); // throttle time
  const errorCode = reader.int16();
  reader.int32(); // session
  const pieces = reader.array(() => {
    reader.string(); // topic
    return reader.array(() => readPiece(reader));
  });
  const [piece, ...others] = pieces.flat();
  if (piece === undefined || others.length > 0)
    throw new TypeError(`expected one partition, got ${pieces.flat().length}`);
  return errorCode === 0 ? piece : { ...piece, errorCode };
}

function readPiece(reader: RecordReader): FetchedPiece {
  reader.int32(); // partition
  const errorCode = reader.int16();
  reader.int64(); // high watermark
  const lastStable = reader.int64();
  const logStart = reader.int64();
  const aborted = reader.array(() => ({ producerId: reader.id64(), firstOffset: reader.int64() }));
  reader.int32(); // replica to be read from instead
  const batches = readBatches(reader.nullable(reader.int32()) ?? Buffer.alloc(0));
  return { errorCode, lastStable, logStart, aborted, batches };
}
