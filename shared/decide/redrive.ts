import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs } from '../record/units.ts';
import { type Letter, ownHeadersOf } from './letter.ts';
import { textHeader } from './letter-headers.ts';
import { returningHeaders } from './returned-record.ts';

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

/** What keeps a letter from being redriven. `elsewhere`: its record was in a topic or partition that the consumer does not have. */
export type RedriveRefusal = 'maxRedrives' | 'doubtful' | 'expired' | 'elsewhere';

/** Where records of letters may return to: their own consumer's source. */
export interface RedriveTarget {
  readonly topic: string;
  /** Partitions that it has. */
  readonly partitions: ReadonlySet<number>;
  /** The group that they are written for. */
  readonly group: string;
}

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
export function refusalOf(
  letter: Letter,
  { maxRedrives, includeDoubtful }: RedriveLimits,
  { topic, partitions }: RedriveTarget,
): RedriveRefusal | undefined {
  if (letter.isExpired) return 'expired';
  if (letter.origin.topic !== topic || !partitions.has(letter.origin.partition)) return 'elsewhere';
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
 * The record of a letter as it returns: its own key, value, headers and time; behind them where it was first (so that another
 * letter of it keeps that), for whom it is, which letter it comes from, how often it has been redriven, and our signature.
 */
export function redrivenRecord(letter: Letter, { topic, group }: RedriveTarget, secret: Buffer): RedrivenRecord {
  const { origin, id, key, value } = letter;
  const to = { topic, partition: origin.partition };
  const headers = returningHeaders(secret, {
    to,
    key,
    value,
    headers: ownHeadersOf(letter),
    origin,
    group,
    redriveCount: letter.redriveCount + 1,
    from: textHeader('x-dead-letter-id', id),
  });
  // Not the letter's own time: its topic may have stamped it when it came.
  return { ...to, key, value, headers, timestamp: origin.timestamp };
}
