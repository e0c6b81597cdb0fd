import type { Letter } from '../decide/letter.ts';
import { LetterIndex } from './letter-index.ts';
import { type LetterSource, type LetterVisitor, readLetters } from './read-letters.ts';

/**
 * Reads the topic through, into an index of its letters and of what became of them.
 *
 * @param tagOf - what the reader wants to know of a letter; -1: it is not meant
 */
export async function indexLetters(
  source: LetterSource,
  tagOf: (letter: Letter) => number,
  progress?: LetterVisitor['progress'],
): Promise<LetterIndex> {
  const index = new LetterIndex();
  await readLetters(source, {
    letter: (letter) => index.add(letter, tagOf(letter)),
    marker: (partition, { offsets }) => index.close(partition, offsets),
    foreign: () => {
      index.foreign++;
    },
    ...(progress && { progress }),
  });
  return index;
}
