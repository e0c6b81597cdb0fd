import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decompress } from '../../../../shared/adapters/kafka-format/record-compression.ts';
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

  expect(await decompress(2, piece)).toEqual(await decompress(2, framed));
});

test('Snappy copies that reach into themselves repeat a pattern', async () => {
  // Length 10; two literal bytes; copy 8 from 2 back, in its form with a one-byte offset.
  const bytes = Buffer.from([10, 0b000001_00, 0x61, 0x62, 0b000_100_01, 2]);

  expect((await decompress(2, bytes)).toString()).toBe('ababababab');
});

test('Snappy copies have three forms, and literals lengths of up to four bytes', async () => {
  const literal = Buffer.concat([Buffer.from([61 << 2, 99, 0]), Buffer.alloc(100, 'x')]);
  const far = Buffer.from([(2 << 2) | 2, 100, 0, (2 << 2) | 3, 100, 0, 0, 0]);

  expect((await decompress(2, Buffer.concat([Buffer.from([106]), literal, far]))).toString()).toBe('x'.repeat(106));
});

test('LZ4 blocks that were not worth compressing are taken as they are', async () => {
  // As the lz4 library of Python writes twelve bytes of noise.
  const frame = Buffer.from('04224d1868400c000000000000005d0c0000804420823cfde6f1c26b30f90e00000000', 'hex');

  expect((await decompress(3, frame)).toString('hex')).toBe('4420823cfde6f1c26b30f90e');
});

test('LZ4 blocks may go on from the block before, and carry sizes and checksums', async () => {
  // The lz4 library of Python, with linked blocks, block checksums, content size and checksum.
  const frame = Buffer.from(
    '04224d185c401e000000000000003a' +
      '0c0000806162636162636162637a61628d0b882d' +
      '1000000012630d00b07a6162636162636162637ac8c35788' +
      '00000000c0e77661',
    'hex',
  );

  expect((await decompress(3, frame)).toString()).toBe('abcabcabczabcabcabczabcabcabcz');
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

test('copies from before the beginning are an error that names the codec', async () => {
  const damaged = Buffer.from([10, 0b000_100_01, 2]);

  await expect(decompress(2, damaged)).rejects.toThrow(new RangeError('the Snappy bytes are damaged'));
});

test('what is damaged does not disturb what is read afterwards', async () => {
  const lz4 = await bodyOf('lz4');
  const before = await decompress(3, lz4);
  for (let at = 0; at < lz4.length; at++) {
    const damaged = Buffer.from(lz4);
    damaged[at] = (lz4[at] ?? 0) ^ 0x55;
    await decompress(3, damaged).catch(() => undefined);
  }

  expect(await decompress(3, lz4)).toEqual(before);
});
