import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';

const gunzipped = promisify(gunzip);
const unzstd = promisify(zstdDecompress);

/**
 * Decompresses a batch. Node supports gzip and zstd; kafkajs supports only gzip. The code for the other codecs is loaded with
 * the first batch that needs it.
 *
 * @param compression - the batch's codec number: https://kafka.apache.org/documentation/#recordbatch
 * @throws TypeError for any other
 */
export async function decompress(compression: number, bytes: Buffer): Promise<Buffer> {
  switch (compression) {
    case 0:
      return bytes;
    case 1:
      return gunzipped(bytes, { chunkSize: gunzippedBytes(bytes) });
    case 2:
      return (await import('./snappy.ts')).readSnappy(bytes);
    case 3:
      return (await import('./lz4.ts')).readLz4(bytes);
    case 4:
      return unzstd(bytes);
    default:
      throw new TypeError(`unknown compression ${compression}, expected 0 to 4`);
  }
}

const GZIP_TRAILER_BYTES = 8;
/** The highest ratio of deflate. https://www.zlib.net/zlib_tech.html */
const MOST_TIMES = 1_032;
/** zlib takes another chunk when one is full to the last byte. */
const SPARE_BYTES = 64;

/**
 * The size that gzip states at its end, so that one buffer holds everything instead of hundreds. Never more than is possible.
 */
function gunzippedBytes(bytes: Buffer): number {
  const said = bytes.length < GZIP_TRAILER_BYTES ? 0 : bytes.readUInt32LE(bytes.length - 4);
  return Math.min(said, bytes.length * MOST_TIMES) + SPARE_BYTES;
}
