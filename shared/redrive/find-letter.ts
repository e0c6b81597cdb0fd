import type { Letter } from '../decide/letter.ts';
import { type LetterSource, ownLetter, readLetters } from './read-letters.ts';

/** One dead letter, open or not; the last of its copies. `undefined`: its topic does not hold it. */
export async function findLetter(source: LetterSource, id: string): Promise<Letter | undefined> {
  let found: Letter | undefined;
  await readLetters(source, {
    letter: (letter) => {
      if (letter.id === id) found = ownLetter(letter);
    },
    marker: () => undefined,
  });
  return found;
}
