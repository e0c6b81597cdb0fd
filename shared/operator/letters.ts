import type { Letter } from '../decide/letter.ts';
import { type LetterFilter, matches } from '../decide/redrive.ts';
import { positionName } from '../record/item-identifier.ts';
import { LetterIndex } from '../redrive/letter-index.ts';
import { type LetterSource, lettersAt, readLetters } from '../redrive/read-letters.ts';
import type { LetterDetail, LetterGroup, LetterLine, OperatorAnswers } from './answers.ts';

type Progress = ((read: number, total: number) => void) | undefined;

/** Open letters by cause, the most frequent first. In memory: the causes, and some 60 bytes a letter. */
export async function groupLetters(
  source: LetterSource,
  filter: LetterFilter,
  progress?: Progress,
): Promise<OperatorAnswers['groups']> {
  const index = new LetterIndex();
  const causes: Omit<LetterGroup, 'count' | 'firstSeen' | 'lastSeen'>[] = [];
  const causeOf = new Map<string, number>();
  await readLetters(source, {
    letter: (letter) => {
      if (!matches(letter, filter)) return index.add(letter, -1);
      const { fingerprint, errorName, stage, errorMessage, id } = letter;
      let cause = causeOf.get(fingerprint);
      if (cause === undefined) {
        cause = causes.push({ fingerprint, errorName, stage, exampleMessage: errorMessage, exampleId: id }) - 1;
        causeOf.set(fingerprint, cause);
      }
      index.add(letter, cause);
    },
    marker: (partition, { offsets }) => index.close(partition, offsets),
    ...(progress && { progress }),
  });
  const sums = causes.map(() => ({ count: 0, first: Number.POSITIVE_INFINITY, last: 0 }));
  let letters = 0;
  for (const { tag, deadLetteredAt } of index.open()) {
    const sum = sums[tag];
    if (sum === undefined) continue;
    letters++;
    sum.count++;
    sum.first = Math.min(sum.first, deadLetteredAt);
    sum.last = Math.max(sum.last, deadLetteredAt);
  }
  const groups = causes.flatMap((cause, tag): LetterGroup[] => {
    const sum = sums[tag];
    if (sum === undefined || sum.count === 0) return [];
    const { count, first, last } = sum;
    return [{ ...cause, count, firstSeen: new Date(first).toISOString(), lastSeen: new Date(last).toISOString() }];
  });
  return { groups: groups.sort((a, b) => b.count - a.count), letters, read: index.size };
}

/** The first open letters in their original order, and how many there are. */
export async function listLetters(
  source: LetterSource,
  filter: LetterFilter,
  limit: number,
  progress?: Progress,
): Promise<OperatorAnswers['letters']> {
  const index = new LetterIndex();
  await readLetters(source, {
    letter: (letter) => index.add(letter, matches(letter, filter) ? 0 : -1),
    marker: (partition, { offsets }) => index.close(partition, offsets),
    ...(progress && { progress }),
  });
  const open = index.open();
  const letters = await lettersAt(source, open.slice(0, limit));
  return { letters: letters.map(letterLine), total: open.length };
}

/** One letter, open or not; the last of its copies. */
export async function showLetter(source: LetterSource, id: string): Promise<OperatorAnswers['letter']> {
  let found: Letter | undefined;
  await readLetters(source, {
    letter: (letter) => {
      if (letter.id === id) found = letter;
    },
    marker: () => undefined,
  });
  return { letter: found === undefined ? null : letterDetail(found) };
}

function letterLine(letter: Letter): LetterLine {
  const { id, errorName, errorMessage, fingerprint, stage, disposition, attempts, interruptions, redriveCount } =
    letter;
  return {
    id,
    origin: positionName(letter.origin),
    key: textOf(letter.key),
    errorName,
    errorMessage,
    fingerprint,
    stage,
    disposition,
    attempts,
    interruptions,
    deadLetteredAt: new Date(letter.deadLetteredAt).toISOString(),
    redriveCount,
    doubtful: letter.isDoubtful,
    valueBytes: letter.value?.length ?? 0,
  };
}

function letterDetail(letter: Letter): LetterDetail {
  return {
    ...letterLine(letter),
    value: textOf(letter.value),
    timestamp: new Date(letter.timestamp).toISOString(),
    headers: letter.headers.map(({ name, value }) => ({ name, value: textOf(value) ?? '' })),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** UTF-8, else base64. */
function textOf(bytes: Buffer | null): string | null {
  if (bytes === null) return null;
  try {
    return utf8.decode(bytes);
  } catch {
    return `base64:${bytes.toString('base64')}`;
  }
}
