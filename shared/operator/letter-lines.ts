import type { Letter } from '../decide/letter.ts';
import { positionName } from '../record/item-identifier.ts';
import type { LetterDetail, LetterLine } from './answers.ts';

/** A letter as lists show it. */
export function letterLine(letter: Letter): LetterLine {
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

/** All of a letter. */
export function letterDetail(letter: Letter): LetterDetail {
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
