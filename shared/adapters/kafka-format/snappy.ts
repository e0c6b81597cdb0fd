import { snappyDecompress } from '@platformatic/wasm-utils/bundled';
import { undamaged } from './undamaged.ts';

/** Java's producers frame the bytes in their own format; others, such as librdkafka, do not. */
const JAVA_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** Magic bytes, version, lowest compatible version. */
const JAVA_HEADER_BYTES = 16;
const LENGTH_BYTES = 4;

/**
 * Decompresses Snappy, plain or framed by snappy-java. https://github.com/xerial/snappy-java#compatibility-notes
 *
 * @throws RangeError for anything else
 */
export function readSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, JAVA_MAGIC.length).equals(JAVA_MAGIC)) return readPiece(bytes);
  const pieces: Buffer[] = [];
  for (let at = JAVA_HEADER_BYTES; at < bytes.length; ) {
    const length = bytes.readInt32BE(at);
    at += LENGTH_BYTES;
    const piece = bytes.subarray(at, at + length);
    if (length < 0 || piece.length < length) throw new RangeError('the Snappy bytes are cut off');
    pieces.push(readPiece(piece));
    at += length;
  }
  return Buffer.concat(pieces);
}

function readPiece(piece: Buffer): Buffer {
  return undamaged('Snappy', () => snappyDecompress(piece));
}
