import type { Letter } from '../decide/letter.ts';
import { positionName } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';
import type { LetterDetail, LetterLine } from './answers.ts';

/** A dead letter as lists show it. */
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
    deadLetteredAt: timeOf(letter.deadLetteredAt),
    redriveCount,
    doubtful: letter.isDoubtful,
    valueBytes: letter.value?.length ?? 0,
  };
}

/** Everything about a dead letter. */
export function letterDetail(letter: Letter): LetterDetail {
  return {
    ...letterLine(letter),
    value: textOf(letter.value),
    timestamp: timeOf(letter.timestamp),
    headers: letter.headers.map(({ name, value }) => ({ name, value: textOf(value) ?? '' })),
  };
}

/** The number of milliseconds, where it is no valid date: a producer may set any time. */
export function timeOf(time: EpochMs): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
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
