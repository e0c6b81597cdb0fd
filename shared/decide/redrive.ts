import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs } from '../record/units.ts';
import { type Letter, ownHeadersOf } from './letter.ts';
import { textHeader } from './letter-headers.ts';
import { returningHeaders } from './returned-record.ts';

/** How often a record is redriven before its dead letters stay. @default 3 */
export const DEFAULT_MAX_REDRIVES = 3;

/** Which dead letters an operator means. All given conditions must hold. */
export interface LetterFilter {
  /** The beginning of a fingerprint. */
  readonly fingerprint?: string | undefined;
  /** Dead-lettered at this time or later. */
  readonly since?: EpochMs | undefined;
  /** Dead-lettered before this time. */
  readonly until?: EpochMs | undefined;
  /** The record's key as text. */
  readonly key?: string | undefined;
  /** Partition of the source topic where the record was first. */
  readonly partition?: number | undefined;
  /** First and last offset in that partition, both included. */
  readonly fromOffset?: number | undefined;
  readonly toOffset?: number | undefined;
  readonly errorName?: string | undefined;
  readonly id?: string | undefined;
}

/**
 * Why a dead letter cannot be redriven. `elsewhere`: its record was in a topic or partition that the consumer does not read.
 */
export type RedriveRefusal = 'maxRedrives' | 'doubtful' | 'expired' | 'elsewhere';

/** Where records of dead letters may return to: the source of their own consumer. */
export interface RedriveTarget {
  readonly topic: string;
  /** The partitions that the topic has. */
  readonly partitions: ReadonlySet<number>;
  /** The group that the records are written for. */
  readonly group: string;
}

/** Limits of a redrive. */
export interface RedriveLimits {
  /** @default {@link DEFAULT_MAX_REDRIVES} */
  readonly maxRedrives: number;
  /** Redrive dead letters of records of which it is not known whether they were handled, too. */
  readonly includeDoubtful: boolean;
}

/** Whether a dead letter fulfils the filter. */
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

/** Why a dead letter may not return; `undefined` when it may. */
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

/** A record on its way back to the partition that it came from. */
export interface RedrivenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

/**
 * The record of a dead letter as it is written back: its own key, value, headers and time. Our headers follow: where it was
 * first (so that another dead letter keeps that), for which group it is, which dead letter it comes from, how often it was
 * redriven, and our signature.
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
  // Not the dead letter's own time: its topic may have set the time of arrival.
  return { ...to, key, value, headers, timestamp: origin.timestamp };
}
