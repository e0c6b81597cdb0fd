import { hash } from 'node:crypto';
import type { Letter } from '../decide/letter.ts';
import { recordBytes } from '../decide/record-size.ts';
import type { OffsetRanges } from '../record/offset-ranges.ts';
import { Column } from './column.ts';
import { firstRow } from './first-row.ts';
import { byOrigin, type IndexedLetter, OpenLetters } from './open-letters.ts';

/**
 * All dead letters of a topic, without their texts: 57 bytes each, outside of the heap. A marker after a dead letter says what
 * became of it, so only the end of the topic shows which are open. A dead letter may have copies; one of them counts.
 */
export class LetterIndex {
  readonly #partition = new Column(Uint32Array);
  readonly #offset = new Column(Float64Array);
  readonly #originTopic = new Column(Uint32Array);
  readonly #originPartition = new Column(Uint32Array);
  readonly #originOffset = new Column(Float64Array);
  readonly #tag = new Column(Int32Array);
  readonly #at = new Column(Float64Array);
  readonly #bytes = new Column(Uint32Array);
  readonly #isClosed = new Column(Uint8Array);
  /** 96 bits of the id's hash: enough to tell dead letters apart. */
  readonly #id = [new Column(Uint32Array), new Column(Uint32Array), new Column(Uint32Array)] as const;
  readonly #topics: string[] = [];
  readonly #topicNumbers = new Map<string, number>();
  /** Records of the topic that Lockstep did not write for this group. */
  foreign = 0;

  get size(): number {
    return this.#offset.length;
  }

  /**
   * Adds a dead letter. They come partition by partition, in offset order.
   *
   * @param tag - what the caller wants to remember of it; -1: it is not wanted
   */
  add(letter: Letter, tag: number): void {
    const { id, partition, offset, origin, deadLetteredAt } = letter;
    const digest = hash('sha256', id, 'buffer');
    this.#id.forEach((column, word) => {
      column.push(digest.readUInt32BE(word * 4));
    });
    this.#partition.push(partition);
    this.#offset.push(offset);
    this.#originTopic.push(this.#numberOf(origin.topic));
    this.#originPartition.push(origin.partition);
    this.#originOffset.push(origin.offset);
    this.#tag.push(tag);
    this.#at.push(deadLetteredAt);
    this.#bytes.push(recordBytes(letter));
    this.#isClosed.push(0);
  }

  /** Dead letters of a partition that were redriven or purged. A marker always comes after them. */
  close(partition: number, offsets: OffsetRanges): void {
    for (const { from, to } of offsets) {
      for (
        let row = firstRow(this.size, (one) => this.#partition.at(one) - partition || this.#offset.at(one) - from);
        row < this.size && this.#partition.at(row) === partition && this.#offset.at(row) <= to;
        row++
      )
        this.#isClosed.set(row, 1);
    }
  }

  /** Open dead letters that are wanted, one of each id. */
  open(): OpenLetters {
    return new OpenLetters(this.#openRows(), (row) => this.#letterAt(row));
  }

  #openRows(): Uint32Array {
    const rows = new Uint32Array(this.size)
      .map((_, row) => row)
      .sort((a, b) => this.#byId(a, b) || this.#byPlace(a, b));
    let open = 0;
    for (let start = 0; start < rows.length; ) {
      const first = rows[start] ?? 0;
      let isClosed = false;
      let end = start;
      for (; end < rows.length && this.#byId(first, rows[end] ?? 0) === 0; end++)
        isClosed ||= this.#isClosed.at(rows[end] ?? 0) === 1;
      if (!isClosed && this.#tag.at(first) >= 0) rows[open++] = first;
      start = end;
    }
    return rows.subarray(0, open).sort((a, b) => byOrigin(this.#letterAt(a), this.#letterAt(b)));
  }

  #byId(a: number, b: number): number {
    const [high, middle, low] = this.#id;
    return high.at(a) - high.at(b) || middle.at(a) - middle.at(b) || low.at(a) - low.at(b);
  }

  #byPlace(a: number, b: number): number {
    return this.#partition.at(a) - this.#partition.at(b) || this.#offset.at(a) - this.#offset.at(b);
  }

  #letterAt(row: number): IndexedLetter {
    return {
      partition: this.#partition.at(row),
      offset: this.#offset.at(row),
      originTopic: this.#topicOf(row),
      originPartition: this.#originPartition.at(row),
      originOffset: this.#originOffset.at(row),
      tag: this.#tag.at(row),
      deadLetteredAt: this.#at.at(row),
      bytes: this.#bytes.at(row),
    };
  }

  #topicOf(row: number): string {
    return this.#topics[this.#originTopic.at(row)] ?? '';
  }

  #numberOf(topic: string): number {
    const known = this.#topicNumbers.get(topic);
    if (known !== undefined) return known;
    const number = this.#topics.push(topic) - 1;
    this.#topicNumbers.set(topic, number);
    return number;
  }
}
