import type { FirstRecord } from '../../decide/progress.ts';

/**
 * A first record with a timestamp beyond this one (the year 73,000; mostly nanoseconds) is not kept. Sums and signs of varints
 * would lose its last bits, so that it would not be recognised.
 */
const MAX_TIMESTAMP = 2 ** 51;

/**
 * First byte of the encoded first records where the lengths of their hashes differ. Then each hash has its length before it.
 */
const MIXED_LENGTHS = 255;

/**
 * First records as bytes. 64 of them are most of a partition item, and DynamoDB bills an update by the KB of the whole item: as
 * text they would cost a second write unit. For each one: the distance to the offset before (unsigned) and to the timestamp
 * before (signed), both as varints, and six bits for each character of the hash. Ascending by offset, as {@link
 * decodeFirstRecords} returns them.
 *
 * @throws TypeError for a hash that is not base64url
 */
export function encodeFirstRecords(firstRecords: readonly FirstRecord[]): Uint8Array {
  const ascending = firstRecords
    .filter(({ timestamp }) => Math.abs(timestamp) <= MAX_TIMESTAMP)
    .sort((a, b) => a.offset - b.offset);
  const length = ascending[0]?.valueHash.length ?? 0;
  const alike = length < MIXED_LENGTHS && ascending.every(({ valueHash }) => valueHash.length === length);
  const bytes: number[] = [alike ? length : MIXED_LENGTHS];
  let before = { offset: 0, timestamp: 0 };
  for (const first of ascending) {
    pushVarint(bytes, first.offset - before.offset);
    pushVarint(bytes, zigzag(first.timestamp - before.timestamp));
    if (!alike) pushVarint(bytes, first.valueHash.length);
    bytes.push(...packHash(first.valueHash));
    before = first;
  }
  return Uint8Array.from(bytes);
}

/** Reads {@link encodeFirstRecords} back. @throws SyntaxError for anything else */
export function decodeFirstRecords(bytes: Uint8Array): readonly FirstRecord[] {
  const reader = { bytes, at: 1 };
  const firstRecords: FirstRecord[] = [];
  let before = { offset: 0, timestamp: 0 };
  while (reader.at < bytes.length) {
    const offset = before.offset + readVarint(reader);
    const timestamp = before.timestamp + unzigzag(readVarint(reader));
    const length = bytes[0] === MIXED_LENGTHS ? readVarint(reader) : (bytes[0] ?? 0);
    before = { offset, timestamp };
    firstRecords.push({ offset, timestamp, valueHash: readHash(reader, length) });
  }
  return firstRecords;
}

interface Reader {
  readonly bytes: Uint8Array;
  at: number;
}

/** Beyond 32 bits arithmetic is used instead of bit operators. */
function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

function readVarint(reader: Reader): number {
  let value = 0;
  for (let unit = 1; ; unit *= 128) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw new SyntaxError('the first records end in the middle of a number');
    value += (byte % 128) * unit;
    if (byte < 128) return value;
  }
}

/** 0, -1, 1, -2, 2 … → 0, 1, 2, 3, 4 … */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function packHash(hash: string): Uint8Array {
  if (!/^[\w-]*$/.test(hash)) throw new TypeError(`expected the hash of a value as base64url, got "${hash}"`);
  // A hash may be cut at any character. The missing bits are written as zero, and removed when it is read.
  const whole = hash.padEnd(Math.ceil(hash.length / 4) * 4, 'A');
  return Buffer.from(whole, 'base64url').subarray(0, packedLength(hash.length));
}

function readHash(reader: Reader, length: number): string {
  const from = reader.at;
  reader.at += packedLength(length);
  if (reader.at > reader.bytes.length) throw new SyntaxError('the first records end in the middle of a hash');
  return Buffer.from(reader.bytes.subarray(from, reader.at)).toString('base64url').slice(0, length);
}

function packedLength(characters: number): number {
  return Math.ceil((characters * 6) / 8);
}
