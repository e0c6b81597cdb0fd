import {
  type Letter,
  type LetterMarker,
  type LetterOwner,
  type LetterRecord,
  readLetterTopic,
} from '../decide/letter.ts';
import type { TopicLog } from '../ports/topic-log.ts';
import type { EpochMs } from '../record/units.ts';

/** The dead-letter topic of a consumer group. */
export interface LetterSource extends LetterOwner {
  readonly log: TopicLog;
  /** When reading must have ended. */
  readonly giveUpAt: EpochMs;
}

/**
 * Called for each record of the dead-letter topic while it is read once, from its first record to the one that was last when
 * reading began. The bytes of a dead letter are views of its batch: copy what you keep.
 */
export interface LetterVisitor {
  letter(letter: Letter): void;
  marker(partition: number, marker: LetterMarker): void;
  /** A record that Lockstep did not write, or not for this group. */
  foreign?(record: LetterRecord, claims: 'a letter' | 'a marker' | 'nothing'): void;
  /** `read` of `total` offsets have been read. */
  progress?(read: number, total: number): void;
}

/** Reads the whole topic, partition by partition, with one record batch in memory at a time. */
export async function readLetters(source: LetterSource, visitor: LetterVisitor): Promise<void> {
  const { log, deadLetterTopic, giveUpAt } = source;
  const bounds = await log.bounds(deadLetterTopic, giveUpAt);
  const total = bounds.reduce((sum, { start, end }) => sum + end - start, 0);
  let read = 0;
  for (const { partition, start, end } of bounds) {
    let from = start;
    const range = { from, to: end - 1 };
    for await (const slice of log.passThrough({ topic: deadLetterTopic, partition }, range, giveUpAt)) {
      for (const { offset, record } of slice.records) {
        const at = { partition, offset, ...record };
        const found = readLetterTopic(at, source);
        if (found.type === 'letter') visitor.letter(found.letter);
        if (found.type === 'marker') visitor.marker(partition, found.marker);
        if (found.type === 'foreign') visitor.foreign?.(at, found.claims);
      }
      read += slice.next - from;
      from = slice.next;
      visitor.progress?.(read, total);
    }
  }
}

/**
 * The results of `keep` for the dead letters at these places, in the given order. Those that are gone meanwhile are left out.
 *
 * @param keep - must copy the bytes that it keeps
 */
export async function lettersAt<T>(
  source: LetterSource,
  places: readonly { readonly partition: number; readonly offset: number }[],
  keep: (letter: Letter) => T,
): Promise<T[]> {
  const { log, deadLetterTopic, giveUpAt } = source;
  const found = new Map<string, T>();
  const inPartition = Map.groupBy(places, ({ partition }) => partition);
  for (const [partition, wanted] of inPartition) {
    const offsets = wanted.map(({ offset }) => offset).sort((a, b) => a - b);
    for (const run of densely(offsets)) {
      const isWanted = new Set(run);
      const range = { from: run[0] ?? 0, to: run.at(-1) ?? 0 };
      for await (const { records } of log.passThrough({ topic: deadLetterTopic, partition }, range, giveUpAt)) {
        for (const { offset, record } of records) {
          if (!isWanted.has(offset)) continue;
          const read = readLetterTopic({ partition, offset, ...record }, source);
          if (read.type === 'letter') found.set(`${partition}@${offset}`, keep(read.letter));
        }
      }
    }
  }
  return places.flatMap(({ partition, offset }) => found.get(`${partition}@${offset}`) ?? []);
}

/** A dead letter with its own bytes. Views would keep the whole batch in memory. */
export function ownLetter(letter: Letter): Letter {
  const { key, value, headers } = letter;
  return {
    ...letter,
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    headers: headers.map((header) => ({ name: header.name, value: Buffer.from(header.value) })),
  };
}

/** If two dead letters are further apart, reading what lies between costs more than another fetch. */
const MOST_BETWEEN = 500;

function densely(offsets: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const offset of offsets) {
    const last = runs.at(-1);
    const before = last?.at(-1);
    if (last !== undefined && before !== undefined && offset - before <= MOST_BETWEEN) last.push(offset);
    else runs.push([offset]);
  }
  return runs;
}
