/** Bytes that are written at the end and copied from what was written: what LZ4 and Snappy do. */
export class GrowingBuffer {
  #bytes: Buffer;
  #length = 0;

  /** @param expected - bytes to begin with */
  constructor(expected: number) {
    this.#bytes = Buffer.allocUnsafe(Math.max(64, expected));
  }

  append(source: Buffer): void {
    this.#reserve(source.length);
    source.copy(this.#bytes, this.#length);
    this.#length += source.length;
  }

  /** Repeats `length` bytes that begin `distance` before the end; they may reach into what is being written. */
  repeat(distance: number, length: number): void {
    if (distance < 1 || distance > this.#length)
      throw new RangeError(`a copy from ${distance} bytes before the beginning`);
    this.#reserve(length);
    const bytes = this.#bytes;
    let from = this.#length - distance;
    let to = this.#length;
    this.#length += length;
    if (distance >= length) bytes.copyWithin(to, from, from + length);
    // The overlap is meant: it repeats a pattern.
    else while (to < this.#length) bytes[to++] = bytes[from++] as number;
  }

  /** What was written, not copied. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
