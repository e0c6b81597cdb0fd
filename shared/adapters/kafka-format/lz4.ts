import { GrowingBuffer } from './growing-buffer.ts';

const MAGIC = 0x184d2204;
const MAGIC_BYTES = 4;
const HAS_DICTIONARY = 0x01;
const HAS_CONTENT_SIZE = 0x08;
const HAS_BLOCK_CHECKSUM = 0x10;
const IS_UNCOMPRESSED = 0x80000000;
/** Shortest repetition. */
const MIN_MATCH = 4;

/**
 * Reads an LZ4 frame; checksums are not looked at. The packages that do it are native or abandoned, and it is a page.
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 *
 * @throws RangeError for anything else
 */
export function lz4Decompress(frame: Buffer): Buffer {
  if (frame.readUInt32LE(0) !== MAGIC) throw new RangeError('not an LZ4 frame');
  const flags = frame.readUInt8(MAGIC_BYTES);
  let at = MAGIC_BYTES + 2;
  if (flags & HAS_CONTENT_SIZE) at += 8;
  if (flags & HAS_DICTIONARY) at += 4;
  at += 1; // header checksum
  const output = new GrowingBuffer(frame.length * 3);
  for (;;) {
    const size = frame.readUInt32LE(at);
    at += 4;
    if (size === 0) return output.written();
    const length = (size & ~IS_UNCOMPRESSED) >>> 0;
    const block = frame.subarray(at, at + length);
    if (block.length < length) throw new RangeError('the LZ4 frame is cut off');
    if (size >= IS_UNCOMPRESSED) output.append(block);
    else decompressBlock(block, output);
    at += length + (flags & HAS_BLOCK_CHECKSUM ? 4 : 0);
  }
}

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
function decompressBlock(block: Buffer, output: GrowingBuffer): void {
  let at = 0;
  const longer = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (;;) {
      const byte = block.readUInt8(at++);
      length += byte;
      if (byte < 255) return length;
    }
  };
  while (at < block.length) {
    const token = block.readUInt8(at++);
    const literals = longer(token >>> 4);
    if (at + literals > block.length) throw new RangeError('the LZ4 block is cut off');
    output.append(block.subarray(at, at + literals));
    at += literals;
    // The last sequence is literals only.
    if (at === block.length) return;
    const distance = block.readUInt16LE(at);
    at += 2;
    output.repeat(distance, longer(token & 0x0f) + MIN_MATCH);
  }
}
