import { lz4Decompress } from '@platformatic/wasm-utils/bundled';
import { undamaged } from './undamaged.ts';

/** Reads frames of LZ4. https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md @throws RangeError for anything else */
export function readLz4(bytes: Buffer): Buffer {
  return undamaged('LZ4', () => lz4Decompress(bytes));
}
