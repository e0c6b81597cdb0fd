import { crc32 } from 'node:zlib';
import type { BuiltFile } from './handler-builds.ts';

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
/** 1980-01-01, where the format's time begins. */
const DATE = 0x21;

/**
 * A zip archive with its files as they are: Lambda wants a zip, and on loopback nothing is gained by compressing. Names are in
 * ASCII.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function storedZip(entries: readonly BuiltFile[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, contents } of entries) {
    // Version, flags, method (stored), time, date, checksum, both sizes, length of the name, and of nothing else.
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(DATE, 8);
    facts.writeUInt32LE(crc32(contents), 10);
    facts.writeUInt32LE(contents.length, 14);
    facts.writeUInt32LE(contents.length, 18);
    facts.writeUInt16LE(name.length, 22);
    const file = Buffer.concat([uint32(LOCAL_HEADER), facts, Buffer.from(name), contents]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(uint32(CENTRAL_HEADER), Buffer.from([20, 0]), facts, rest, Buffer.from(name));
    files.push(file);
    offset += file.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, central, uint32(END), end]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
