import { type Letter, type LetterMarker, readLetterTopic } from '../decide/letter.ts';
import type { TopicLog } from '../ports/topic-log.ts';
import type { EpochMs } from '../record/units.ts';

/** The dead-letter topic of a consumer group. */
export interface LetterSource {
  readonly log: TopicLog;
  readonly deadLetterTopic: string;
  /** Letters of other groups on the same topic are none of ours. */
  readonly group: string;
  /** When reading must have ended. */
  readonly giveUpAt: EpochMs;
}

/** Told of each record of ours while the topic is read once, from what it holds first to what it held last when it began. */
export interface LetterVisitor {
  letter(letter: Letter): void;
  marker(partition: number, marker: LetterMarker): void;
  /** So many of so many offsets were read. */
  progress?(read: number, total: number): void;
}

/** Reads the topic through, partition after partition, a slice in memory at a time. */
export async function readLetters(
  { log, deadLetterTopic, group, giveUpAt }: LetterSource,
  visitor: LetterVisitor,
): Promise<void> {
  const bounds = await log.bounds(deadLetterTopic, giveUpAt);
  const total = bounds.reduce((sum, { start, end }) => sum + end - start, 0);
  let read = 0;
  for (const { partition, start, end } of bounds) {
    const place = { topic: deadLetterTopic, partition };
    for (let from = start; from < end; ) {
      const slice = await log.readRange(place, { from, to: end - 1 }, giveUpAt);
      for (const { offset, record } of slice.records) {
        const found = readLetterTopic({ partition, offset, ...record });
        if (found.type === 'letter' && found.letter.group === group) visitor.letter(found.letter);
        if (found.type === 'marker') visitor.marker(partition, found.marker);
      }
      read += slice.next - from;
      from = slice.next;
      visitor.progress?.(read, total);
    }
  }
}

/** The letters at these places, in the order in which they are asked for; what is gone meanwhile is left out. */
export async function lettersAt(
  { log, deadLetterTopic, giveUpAt }: Omit<LetterSource, 'group'>,
  places: readonly { readonly partition: number; readonly offset: number }[],
): Promise<Letter[]> {
  const found = new Map<string, Letter>();
  const inPartition = Map.groupBy(places, ({ partition }) => partition);
  for (const [partition, wanted] of inPartition) {
    const offsets = wanted.map(({ offset }) => offset).sort((a, b) => a - b);
    for (const run of densely(offsets)) {
      const isWanted = new Set(run);
      const to = run.at(-1) ?? 0;
      for (let from = run[0] ?? 0; from <= to; ) {
        const slice = await log.readRange({ topic: deadLetterTopic, partition }, { from, to }, giveUpAt);
        for (const { offset, record } of slice.records) {
          if (!isWanted.has(offset)) continue;
          const read = readLetterTopic({ partition, offset, ...record });
          if (read.type === 'letter') found.set(`${partition}@${offset}`, read.letter);
        }
        from = slice.next;
      }
    }
  }
  return places.flatMap(({ partition, offset }) => found.get(`${partition}@${offset}`) ?? []);
}

/** Far apart, offsets are read one by one: what lies between is not ours. */
const MOST_BETWEEN = 50;

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
