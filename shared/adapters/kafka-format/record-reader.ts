/** Reads Kafka's binary format from front to back: big-endian numbers, zigzag varints. https://kafka.apache.org/protocol#protocol_types */
export class RecordReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  /** Offsets and timestamps, which stay below 2^53. */
  int64(): number {
    return Number(this.#bytes.readBigInt64BE(this.#take(8)));
  }

  /** Producer ids use all 64 bits. */
  id64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  /** varint and varlong. Numbers of more than 53 bits lose their last bits. */
  varint(): number {
    let result = 0;
    let unit = 1;
    for (;;) {
      const byte = this.#bytes.readUInt8(this.#take(1));
      result += (byte & 0x7f) * unit;
      if (byte < 0x80) break;
      unit *= 128;
    }
    return result % 2 === 0 ? result / 2 : -(result + 1) / 2;
  }

  /** Bytes of a length that was read before. @returns null where the length is negative */
  nullable(length: number): Buffer | null {
    return length < 0 ? null : this.bytes(length);
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  string(): string {
    return this.bytes(this.int16()).toString('utf8');
  }

  /** An array with its count before it. A null array is read as empty. */
  array<T>(read: () => T): T[] {
    const count = this.int32();
    const values: T[] = [];
    for (let index = 0; index < count; index++) values.push(read());
    return values;
  }

  #take(length: number): number {
    if (length < 0 || length > this.left) throw new RangeError(`${length} bytes wanted, ${this.left} are left`);
    const start = this.#at;
    this.#at += length;
    return start;
  }
}
