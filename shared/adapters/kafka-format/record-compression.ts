import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';

const gunzipped = promisify(gunzip);
const unzstd = promisify(zstdDecompress);

/**
 * What a batch's producer compressed. Node knows gzip and zstd; kafkajs knows only gzip. The code for the others is loaded with the
 * first batch that needs it.
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
/** Deflate's best. https://www.zlib.net/zlib_tech.html */
const MOST_TIMES = 1_032;
/** zlib takes another chunk when one is full to the last byte. */
const SPARE_BYTES = 64;

/** What gzip says at its end, so that one buffer takes it all instead of hundreds and their sum; never more than there can be. */
function gunzippedBytes(bytes: Buffer): number {
  const said = bytes.length < GZIP_TRAILER_BYTES ? 0 : bytes.readUInt32LE(bytes.length - 4);
  return Math.min(said, bytes.length * MOST_TIMES) + SPARE_BYTES;
}
