import { hash } from 'node:crypto';
import type { Letter } from '../decide/letter.ts';
import { includesOffset, type OffsetRanges, union } from '../record/offset-ranges.ts';
import { Column } from './column.ts';

/** What of a letter is remembered while a topic is read: some 60 bytes, none of its own. */
export interface IndexedLetter {
  /** Partition of the dead-letter topic, and the offset there. */
  readonly partition: number;
  readonly offset: number;
  readonly originTopic: number;
  readonly originPartition: number;
  readonly originOffset: number;
  /** Whatever the reader wants to know of it; -1: it is not meant. */
  readonly tag: number;
  readonly deadLetteredAt: number;
}

/**
 * All letters of a topic, without their texts. What became of a letter is told by a marker behind it, so that only the end of the
 * topic decides which are open; and a letter may have copies, of which one counts.
 */
export class LetterIndex {
  readonly #partition = new Column();
  readonly #offset = new Column();
  readonly #originTopic = new Column();
  readonly #originPartition = new Column();
  readonly #originOffset = new Column();
  readonly #tag = new Column();
  readonly #at = new Column();
  /** 96 bits of the id's hash: enough to tell letters apart. */
  readonly #high = new Column();
  readonly #low = new Column();
  readonly #topics: string[] = [];
  readonly #closed = new Map<number, OffsetRanges>();

  get size(): number {
    return this.#offset.length;
  }

  /** @param tag - what the reader wants to know of it; -1: it is not meant */
  add({ id, partition, offset, origin, deadLetteredAt }: Letter, tag: number): void {
    const digest = hash('sha256', id, 'buffer');
    this.#partition.push(partition);
    this.#offset.push(offset);
    this.#originTopic.push(this.#numberOf(origin.topic));
    this.#originPartition.push(origin.partition);
    this.#originOffset.push(origin.offset);
    this.#tag.push(tag);
    this.#at.push(deadLetteredAt);
    this.#high.push(digest.readUIntBE(0, 6));
    this.#low.push(digest.readUIntBE(6, 6));
  }

  /** Letters of a partition that were redriven or purged. */
  close(partition: number, offsets: OffsetRanges): void {
    this.#closed.set(partition, union(this.#closed.get(partition) ?? [], offsets));
  }

  /** Letters that are open and meant, one of each id, in their original order: by source partition and offset. */
  open(): IndexedLetter[] {
    const rows = this.#rows((a, b) => this.#byId(a, b) || this.#offset.at(a) - this.#offset.at(b));
    const open: number[] = [];
    for (let start = 0; start < rows.length; ) {
      let end = start;
      let isClosed = false;
      const first = rows[start] ?? 0;
      for (; end < rows.length && this.#byId(first, rows[end] ?? 0) === 0; end++)
        isClosed ||= this.#isClosed(rows[end] ?? 0);
      if (!isClosed && this.#tag.at(first) >= 0) open.push(first);
      start = end;
    }
    return open.sort((a, b) => this.#byOrigin(a, b)).map((row) => this.#letterAt(row));
  }

  topicName(originTopic: number): string {
    return this.#topics[originTopic] ?? '';
  }

  #rows(order: (a: number, b: number) => number): Uint32Array {
    return Uint32Array.from({ length: this.size }, (_, row) => row).sort(order);
  }

  #byId(a: number, b: number): number {
    return this.#high.at(a) - this.#high.at(b) || this.#low.at(a) - this.#low.at(b);
  }

  #byOrigin(a: number, b: number): number {
    return (
      this.#originTopic.at(a) - this.#originTopic.at(b) ||
      this.#originPartition.at(a) - this.#originPartition.at(b) ||
      this.#originOffset.at(a) - this.#originOffset.at(b) ||
      this.#offset.at(a) - this.#offset.at(b)
    );
  }

  #isClosed(row: number): boolean {
    return includesOffset(this.#closed.get(this.#partition.at(row)) ?? [], this.#offset.at(row));
  }

  #letterAt(row: number): IndexedLetter {
    return {
      partition: this.#partition.at(row),
      offset: this.#offset.at(row),
      originTopic: this.#originTopic.at(row),
      originPartition: this.#originPartition.at(row),
      originOffset: this.#originOffset.at(row),
      tag: this.#tag.at(row),
      deadLetteredAt: this.#at.at(row),
    };
  }

  #numberOf(topic: string): number {
    const known = this.#topics.indexOf(topic);
    return known >= 0 ? known : this.#topics.push(topic) - 1;
  }
}
