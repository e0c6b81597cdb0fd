import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs } from '../record/units.ts';
import type { Letter } from './letter.ts';
import { ORIGIN_HEADERS, originHeaders, textHeader } from './letter-headers.ts';

/** How often a record has been redriven, in its headers. */
export const REDRIVE_COUNT_HEADER = 'x-redrive-count';

/** Redrives of one record, then its letters stay. @default 3 */
export const DEFAULT_MAX_REDRIVES = 3;

/** What of the letters an operator means; everything that is said must hold. */
export interface LetterFilter {
  /** The beginning of a fingerprint. */
  readonly fingerprint?: string | undefined;
  /** Dead-lettered at or after. */
  readonly since?: EpochMs | undefined;
  /** Dead-lettered before. */
  readonly until?: EpochMs | undefined;
  /** The record's key as text. */
  readonly key?: string | undefined;
  /** Partition of the source that the record came from first. */
  readonly partition?: number | undefined;
  /** First and last offset there, both included. */
  readonly fromOffset?: number | undefined;
  readonly toOffset?: number | undefined;
  readonly errorName?: string | undefined;
  readonly id?: string | undefined;
}

/** What keeps a letter from being redriven. */
export type RedriveRefusal = 'maxRedrives' | 'doubtful' | 'expired';

/** Limits of a redrive. */
export interface RedriveLimits {
  /** @default {@link DEFAULT_MAX_REDRIVES} */
  readonly maxRedrives: number;
  /** Also letters of records of which nobody can tell whether they were handled. */
  readonly includeDoubtful: boolean;
}

/** Whether a letter is meant. */
export function matches(letter: Letter, filter: LetterFilter): boolean {
  const { fingerprint, since, until, key, partition, fromOffset, toOffset, errorName, id } = filter;
  const { origin } = letter;
  return (
    (fingerprint === undefined || letter.fingerprint.startsWith(fingerprint)) &&
    (since === undefined || letter.deadLetteredAt >= since) &&
    (until === undefined || letter.deadLetteredAt < until) &&
    (key === undefined || letter.key?.toString() === key) &&
    (partition === undefined || origin.partition === partition) &&
    (fromOffset === undefined || origin.offset >= fromOffset) &&
    (toOffset === undefined || origin.offset <= toOffset) &&
    (errorName === undefined || letter.errorName === errorName) &&
    (id === undefined || letter.id === id)
  );
}

/** Why a letter stays where it is; `undefined` when it may return. */
export function refusalOf(letter: Letter, { maxRedrives, includeDoubtful }: RedriveLimits): RedriveRefusal | undefined {
  if (letter.isExpired) return 'expired';
  if (letter.redriveCount >= maxRedrives) return 'maxRedrives';
  return letter.isDoubtful && !includeDoubtful ? 'doubtful' : undefined;
}

/** A record on its way back, to the partition that it came from. */
export interface RedrivenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

/**
 * The record of a letter as it returns: its own key, value, headers and timestamp; behind them where it was first (so that
 * another letter of it keeps that), which letter it comes from, and how often it has been redriven.
 */
export function redrivenRecord(letter: Letter): RedrivenRecord {
  const { origin, id, redriveCount, key, value, headers } = letter;
  return {
    topic: origin.topic,
    partition: origin.partition,
    key,
    value,
    headers: [
      ...ownHeaders(headers),
      ...originHeaders(origin),
      textHeader('x-dead-letter-id', id),
      textHeader(REDRIVE_COUNT_HEADER, String(redriveCount + 1)),
    ],
    // Not the letter's, which is when it was written.
    timestamp: origin.timestamp,
  };
}

/** What the record had before its letter was written: a letter's own headers come last, the origin's topic first of them. */
function ownHeaders(headers: readonly RecordHeader[]): readonly RecordHeader[] {
  const start = headers.findLastIndex(({ name }) => name === ORIGIN_HEADERS[0]);
  const own = start < 0 ? headers : headers.slice(0, start);
  return own.filter(({ name }) => name !== REDRIVE_COUNT_HEADER);
}
