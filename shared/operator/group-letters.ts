import type { Letter } from '../decide/letter.ts';
import { type LetterFilter, matches } from '../decide/redrive.ts';
import { indexLetters } from '../redrive/index-letters.ts';
import type { IndexedLetter } from '../redrive/open-letters.ts';
import { type LetterSource, lettersAt } from '../redrive/read-letters.ts';
import type { LetterGroup, OperatorAnswers } from './answers.ts';

/** The most causes in an answer. Its size is limited, and nobody reads more. */
export const MOST_CAUSES = 500;

/** How many letters a cause has in each part of the time between the first and the last of all. */
export const TIME_SLOTS = 24;

interface Cause {
  readonly example: IndexedLetter;
  count: number;
  first: number;
  last: number;
  readonly slots: number[];
}

/**
 * Open dead letters by cause, the most frequent first. Memory holds numbers and the fingerprint of each cause, and the index.
 */
export async function groupLetters(
  source: LetterSource,
  filter: LetterFilter,
  progress?: (read: number, total: number) => void,
): Promise<OperatorAnswers['groups']> {
  const tags = new Map<string, number>();
  const tagOf = (letter: Letter) => {
    if (!matches(letter, filter)) return -1;
    const tag = tags.get(letter.fingerprint) ?? tags.size;
    tags.set(letter.fingerprint, tag);
    return tag;
  };
  const index = await indexLetters(source, tagOf, progress);
  const open = index.open();
  const causes = new Map<number, Cause>();
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const { deadLetteredAt } of open) {
    from = Math.min(from, deadLetteredAt);
    to = Math.max(to, deadLetteredAt);
  }
  for (const letter of open) {
    const at = letter.deadLetteredAt;
    const known = causes.get(letter.tag);
    const cause = known ?? { example: letter, count: 0, first: at, last: at, slots: Array<number>(TIME_SLOTS).fill(0) };
    const slot = Math.floor(((at - from) * TIME_SLOTS) / (to - from + 1));
    cause.slots[slot] = (cause.slots[slot] ?? 0) + 1;
    cause.count++;
    cause.first = Math.min(cause.first, at);
    cause.last = Math.max(cause.last, at);
    causes.set(letter.tag, cause);
  }
  const most = [...causes.values()].sort((a, b) => b.count - a.count).slice(0, MOST_CAUSES);
  const groups = await withExamples(source, most);
  return { groups, causes: causes.size, letters: open.length, read: index.size, foreign: index.foreign };
}

async function withExamples(source: LetterSource, causes: readonly Cause[]): Promise<LetterGroup[]> {
  const places = causes.map(({ example }) => example);
  const examples = await lettersAt(source, places, ({ partition, offset, ...letter }) => ({
    place: `${partition}@${offset}`,
    fingerprint: letter.fingerprint,
    errorName: letter.errorName,
    stage: letter.stage,
    exampleMessage: letter.errorMessage,
    exampleId: letter.id,
  }));
  const byPlace = new Map(examples.map(({ place, ...example }) => [place, example]));
  return causes.flatMap(({ example: { partition, offset }, count, first, last, slots }): LetterGroup[] => {
    const example = byPlace.get(`${partition}@${offset}`);
    // Retention deleted it in between.
    if (example === undefined) return [];
    return [
      { ...example, count, firstSeen: new Date(first).toISOString(), lastSeen: new Date(last).toISOString(), slots },
    ];
  });
}
