import { firstRow } from './first-row.ts';

/** What is remembered of a dead letter while a topic is read. */
export interface IndexedLetter {
  /** Partition of the dead-letter topic, and the offset there. */
  readonly partition: number;
  readonly offset: number;
  readonly originTopic: string;
  readonly originPartition: number;
  readonly originOffset: number;
  /** What the caller wants to remember of it. */
  readonly tag: number;
  readonly deadLetteredAt: number;
  /** Its size on its topic. */
  readonly bytes: number;
}

/** Where a list of open dead letters goes on: after this one. It stays valid when dead letters come or go meanwhile. */
export type LetterCursor = Pick<
  IndexedLetter,
  'originTopic' | 'originPartition' | 'originOffset' | 'partition' | 'offset'
>;

/** Dead letters in their original order, by source partition and offset. Each is created when it is read. */
export class OpenLetters {
  readonly #rows: Uint32Array;
  readonly #letterAt: (row: number) => IndexedLetter;

  constructor(rows: Uint32Array, letterAt: (row: number) => IndexedLetter) {
    this.#rows = rows;
    this.#letterAt = letterAt;
  }

  get length(): number {
    return this.#rows.length;
  }

  at(place: number): IndexedLetter {
    return this.#letterAt(this.#rows[place] ?? 0);
  }

  *[Symbol.iterator](): Generator<IndexedLetter> {
    for (let place = 0; place < this.length; place++) yield this.at(place);
  }

  /** From a place on, at most `most` dead letters of together `bytes`, but at least one. */
  part(start: number, most: number, bytes: number): IndexedLetter[] {
    const part: IndexedLetter[] = [];
    let left = bytes;
    for (let place = start; place < this.length && part.length < most; place++) {
      const letter = this.at(place);
      left -= letter.bytes;
      if (part.length > 0 && left < 0) break;
      part.push(letter);
    }
    return part;
  }

  tagged(tag: number): OpenLetters {
    return new OpenLetters(
      this.#rows.filter((row) => this.#letterAt(row).tag === tag),
      this.#letterAt,
    );
  }

  /** The place of the first one after the cursor. */
  behind(cursor: LetterCursor): number {
    return firstRow(this.length, (place) => byOrigin(this.at(place), cursor) || -1);
  }
}

/** The original order. Copies are in the order in which they were written. */
export function byOrigin(a: LetterCursor, b: LetterCursor): number {
  return (
    byText(a.originTopic, b.originTopic) ||
    a.originPartition - b.originPartition ||
    a.originOffset - b.originOffset ||
    a.partition - b.partition ||
    a.offset - b.offset
  );
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
