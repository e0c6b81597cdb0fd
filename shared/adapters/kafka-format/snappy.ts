import { GrowingBuffer } from './growing-buffer.ts';

/** Java's producers cut the bytes into pieces of their own; others, as librdkafka, do not. */
const JAVA_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** Magic, version, lowest version that can read it. */
const JAVA_HEADER_BYTES = 16;

/**
 * Reads Snappy, in one piece or as snappy-java frames it. The packages that do it are native or abandoned, and it is a page.
 * https://github.com/google/snappy/blob/main/format_description.txt
 *
 * @throws RangeError for anything else
 */
export function snappyDecompress(bytes: Buffer): Buffer {
  const output = new GrowingBuffer(bytes.length * 3);
  if (!bytes.subarray(0, JAVA_MAGIC.length).equals(JAVA_MAGIC)) decompressPiece(bytes, output);
  else {
    for (let at = JAVA_HEADER_BYTES; at < bytes.length; ) {
      const length = bytes.readInt32BE(at);
      at += 4;
      const piece = bytes.subarray(at, at + length);
      if (length < 0 || piece.length < length) throw new RangeError('the Snappy bytes are cut off');
      decompressPiece(piece, output);
      at += length;
    }
  }
  return output.written();
}

function decompressPiece(piece: Buffer, output: GrowingBuffer): void {
  let at = 0;
  // Its length comes first, as a varint; the output grows by itself.
  while (piece.readUInt8(at++) >= 0x80);
  while (at < piece.length) {
    const tag = piece.readUInt8(at++);
    const upper = tag >>> 2;
    switch (tag & 0x03) {
      case 0: {
        // Up to 60 the length is in the tag, above it in the next one to four bytes.
        const extra = upper < 60 ? 0 : upper - 59;
        const length = 1 + (extra === 0 ? upper : piece.readUIntLE(at, extra));
        at += extra;
        if (at + length > piece.length) throw new RangeError('the Snappy bytes are cut off');
        output.append(piece.subarray(at, at + length));
        at += length;
        break;
      }
      case 1:
        output.repeat(((tag >>> 5) << 8) + piece.readUInt8(at++), (upper & 0x07) + 4);
        break;
      case 2:
        output.repeat(piece.readUInt16LE(at), upper + 1);
        at += 2;
        break;
      case 3:
        output.repeat(piece.readUInt32LE(at), upper + 1);
        at += 4;
        break;
    }
  }
}
