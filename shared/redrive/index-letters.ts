import type { Letter } from '../decide/letter.ts';
import { LetterIndex } from './letter-index.ts';
import { type LetterSource, type LetterVisitor, readLetters } from './read-letters.ts';

/**
 * Reads the whole topic into an index of its dead letters and of what became of them.
 *
 * @param tagOf - what the caller wants to remember of a dead letter; -1: it is not wanted
 */
export async function indexLetters(
  source: LetterSource,
  tagOf: (letter: Letter) => number,
  progress?: LetterVisitor['progress'],
): Promise<LetterIndex> {
  const index = new LetterIndex();
  await readLetters(source, {
    // What is parked is released or dropped: a copy on the source would run twice.
    letter: (letter) => index.add(letter, letter.parked === undefined ? tagOf(letter) : -1),
    marker: (partition, { offsets }) => index.close(partition, offsets),
    foreign: () => {
      index.foreign++;
    },
    ...(progress && { progress }),
  });
  return index;
}
