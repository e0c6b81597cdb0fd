import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { lz4Decompress } from '../../../../shared/adapters/kafka-format/lz4.ts';
import { decompress } from '../../../../shared/adapters/kafka-format/record-compression.ts';
import { snappyDecompress } from '../../../../shared/adapters/kafka-format/snappy.ts';
import { fetchAnswer } from '../../../fixtures/fetch-answer.ts';

async function bodyOf(name: string): Promise<Buffer> {
  const { batches } = await fetchAnswer(name);
  return batches[0]?.body ?? Buffer.alloc(0);
}

test('a codec that is not known is named', async () => {
  await expect(decompress(5, Buffer.alloc(8))).rejects.toThrow('unknown compression 5, expected 0 to 4');
});

test('gzip is read whatever its end says of its length, and refused where it is cut off', async () => {
  const bytes = Buffer.alloc(100_000, 'abc');
  const packed = gzipSync(bytes);
  expect((await decompress(1, packed)).equals(bytes)).toBe(true);

  const twoMembers = Buffer.concat([packed, gzipSync(Buffer.from('end'))]);
  expect((await decompress(1, twoMembers)).equals(Buffer.concat([bytes, Buffer.from('end')]))).toBe(true);
  await expect(decompress(1, packed.subarray(0, 40))).rejects.toThrow('unexpected end of file');
  await expect(decompress(1, Buffer.alloc(3))).rejects.toThrow();
});

test('Snappy is read without Java’s frame too, as librdkafka writes it', async () => {
  const framed = await bodyOf('snappy');
  const piece = framed.subarray(20, 20 + framed.readInt32BE(16));

  expect(snappyDecompress(piece)).toEqual(snappyDecompress(framed));
});

test('Snappy copies that reach into themselves repeat a pattern', () => {
  // Length 10; two literal bytes; copy 8 from 2 back, in its form with a one-byte offset.
  expect(snappyDecompress(Buffer.from([10, 0b000001_00, 0x61, 0x62, 0b000_100_01, 2])).toString()).toBe('ababababab');
});

test('Snappy copies have three forms, and literals lengths of up to four bytes', () => {
  const literal = Buffer.concat([Buffer.from([61 << 2, 99, 0]), Buffer.alloc(100, 'x')]);
  const far = Buffer.from([(2 << 2) | 2, 100, 0, (2 << 2) | 3, 100, 0, 0, 0]);

  expect(snappyDecompress(Buffer.concat([Buffer.from([106]), literal, far])).toString()).toBe('x'.repeat(106));
});

test('LZ4 blocks that were not worth compressing are taken as they are', () => {
  const frame = Buffer.from('04224d18604000' + '03000080' + '616263' + '00000000', 'hex');

  expect(lz4Decompress(frame).toString()).toBe('abc');
});

test('LZ4 blocks may go on from the block before, and carry sizes and checksums', () => {
  // Flags: version 1, linked blocks, block checksums, content size. Second block: no literals, copy 6 from 3 back, one literal.
  const frame = Buffer.from(
    '04224d18' +
      '58' +
      '40' +
      '0a00000000000000' +
      '00' +
      '03000080' +
      '616263' +
      'ffffffff' +
      '05000000' +
      '02' +
      '0300' +
      '10' +
      '7a' +
      'ffffffff' +
      '00000000',
    'hex',
  );

  expect(lz4Decompress(frame).toString()).toBe('abcabcabcz');
});

test.each([
  ['snappy', 40],
  ['lz4', 60],
  ['gzip', 30],
  ['zstd', 30],
])('%s bytes that are cut off are an error, not half of the records', async (name, kept) => {
  const codec = ['', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(name);

  await expect(decompress(codec, (await bodyOf(name)).subarray(0, kept))).rejects.toThrow();
});

test('copies from before the beginning are an error', () => {
  expect(() => snappyDecompress(Buffer.from([10, 0b000_100_01, 2]))).toThrow(RangeError);
});
