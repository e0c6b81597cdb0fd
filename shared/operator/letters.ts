import { type LetterFilter, matches } from '../decide/redrive.ts';
import { findLetter } from '../redrive/find-letter.ts';
import { indexLetters } from '../redrive/index-letters.ts';
import type { IndexedLetter, LetterCursor, OpenLetters } from '../redrive/open-letters.ts';
import { type LetterSource, lettersAt } from '../redrive/read-letters.ts';
import type { LetterLine, OperatorAnswers } from './answers.ts';
import { letterDetail, letterLine } from './letter-lines.ts';

/**
 * Bytes of a page, and of what is read for one at a time. Both together fit the answer of a function, which is at most 6 MB.
 */
const PAGE_BYTES = 2 * 1024 * 1024;
/** How many dead letters are read at once. */
const READ_AT_ONCE = 1_000;

/** Which of the open dead letters are wanted. */
export interface ListOrder {
  readonly filter: LetterFilter;
  readonly limit: number;
  /** Only dead letters after this one. @default from the first on */
  readonly after?: LetterCursor | undefined;
}

/**
 * The first open dead letters in their original order, and how many there are, in pages that fit an answer of a function.
 * `next` says where the next page starts. The whole topic is read before the first page.
 */
export async function* letterPages(
  source: LetterSource,
  { filter, limit, after }: ListOrder,
  progress?: (read: number, total: number) => void,
): AsyncGenerator<OperatorAnswers['letters']> {
  const index = await indexLetters(source, (letter) => (matches(letter, filter) ? 0 : -1), progress);
  const open = index.open();
  const start = after === undefined ? 0 : open.behind(after);
  const end = Math.min(open.length, start + limit);
  for (let from = start; from < end || from === start; ) {
    const { letters, reached } = await page(source, open, from, end);
    from = Math.max(reached, from + 1);
    const last = from < end ? open.at(from - 1) : undefined;
    yield { letters, total: open.length, foreign: index.foreign, ...(last !== undefined && { next: cursorAt(last) }) };
  }
}

/** One page: the answer of the operator function. */
export async function listLetters(
  source: LetterSource,
  order: ListOrder,
  progress?: (read: number, total: number) => void,
): Promise<OperatorAnswers['letters']> {
  const { value } = await letterPages(source, order, progress).next();
  return value ?? { letters: [], total: 0, foreign: 0 };
}

/** One dead letter, open or not; the last of its copies. */
export async function showLetter(source: LetterSource, id: string): Promise<OperatorAnswers['letter']> {
  const found = await findLetter(source, id);
  return { letter: found === undefined ? null : letterDetail(found) };
}

async function page(
  source: LetterSource,
  open: OpenLetters,
  start: number,
  end: number,
): Promise<{ readonly letters: readonly LetterLine[]; readonly reached: number }> {
  const letters: LetterLine[] = [];
  let bytes = 0;
  let reached = start;
  while (reached < end && bytes < PAGE_BYTES) {
    const places = open.part(reached, Math.min(READ_AT_ONCE, end - reached), PAGE_BYTES);
    const lines = await lettersAt(source, places, letterLine);
    letters.push(...lines);
    reached += places.length;
    bytes += lines.reduce((sum, line) => sum + Buffer.byteLength(JSON.stringify(line)), 0);
  }
  return { letters, reached };
}

function cursorAt({ originTopic, originPartition, originOffset, partition, offset }: IndexedLetter): LetterCursor {
  return { originTopic, originPartition, originOffset, partition, offset };
}
