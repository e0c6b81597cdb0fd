const FIRST_ROWS = 1_024;

type Numbers = Float64Array | Uint32Array | Int32Array | Uint8Array;

/** A column of numbers outside of the heap. */
export class Column {
  readonly #make: new (
    length: number,
  ) => Numbers;
  #values: Numbers;
  #length = 0;

  constructor(make: new (length: number) => Numbers) {
    this.#make = make;
    this.#values = new make(FIRST_ROWS);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new this.#make(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  set(row: number, value: number): void {
    this.#values[row] = value;
  }

  at(row: number): number {
    return this.#values[row] ?? Number.NaN;
  }
}
