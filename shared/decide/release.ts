import { NO_OFFSETS, type OffsetRanges, rangesOf } from '../record/offset-ranges.ts';
import type { EpochMs } from '../record/units.ts';
import { takeOver } from './claim.ts';
import { settledOrdinal } from './parking.ts';
import type { ParkedItem, Progress, RecordIdentity } from './progress.ts';
import { blockedRecordOf, endIsolation, withBlockedRecord } from './settle.ts';

/** A record of a parked key; its offset is its ordinal. */
export interface ParkedRecord extends RecordIdentity {
  /** Failed tries before it was parked. */
  readonly attempts: number;
}

/** What a claimed parked key means for the records that came to be released. */
export interface ReleaseDecision<R> {
  readonly progress: Progress;
  /** What may run, in order: what follows the last settled ordinal, up to the first that did not come. */
  readonly open: readonly R[];
  readonly toRedeliver: OffsetRanges;
  /** The record in whose handler the process died. */
  readonly interrupted?: RecordIdentity;
}

/**
 * Looks at a granted claim of a parked key. Unlike in a partition, an ordinal that did not come is missing, not compacted: nothing
 * behind it runs. Whoever asks for a release asks for a try: a back-off and a pause are over.
 *
 * @param records - in any order; of equal ordinals the first counts
 */
export function decideRelease<R extends ParkedRecord>(
  item: ParkedItem,
  owner: string,
  records: readonly R[],
  now: EpochMs,
): ReleaseDecision<R> {
  const { progress: found, interrupted } = takeOver(item, owner, now);
  const open = following(records, settledOrdinal(found), item.tail);
  const toRedeliver = rangesOf(open.map(({ offset }) => offset));
  const { pausedUntil: _, ...progress } = withRound(found, open[0]);
  return {
    progress: endIsolation(progress, toRedeliver),
    open,
    toRedeliver,
    ...(interrupted !== undefined && { interrupted }),
  };
}

function following<R extends ParkedRecord>(records: readonly R[], settled: number, tail: number): readonly R[] {
  const byOrdinal = new Map(records.toReversed().map((record) => [record.offset, record]));
  const open: R[] = [];
  for (let ordinal = settled + 1; ordinal <= tail; ordinal++) {
    const record = byOrdinal.get(ordinal);
    if (record === undefined) break;
    open.push(record);
  }
  return open;
}

/** A round of tries begins with this record. The tries that parked it go on being counted, and decide nothing. */
function withRound(progress: Progress, head: ParkedRecord | undefined): Progress {
  if (head === undefined) return progress;
  const { notBefore: _, ...known } = blockedRecordOf(progress, head);
  const { rounds = 0, attempts } = known;
  return withBlockedRecord(progress, {
    ...known,
    attempts: Math.max(attempts, head.attempts),
    rounds: rounds + 1,
  });
}

/** What the relay may do with a parked key by itself. */
export interface ReleasePolicy {
  /** Between two rounds of tries of a record, doubled with each round. */
  readonly everyMs: number;
  /** The longest pause between two rounds. */
  readonly maxEveryMs: number;
  /** Rounds of tries of one record; then an operator has to ask. */
  readonly maxRounds: number;
  /** Deaths in its handler; then an operator has to ask. */
  readonly maxInterruptions: number;
}

/** Whether a parked key is to be tried now without anybody asking. */
export function isReleaseDue(item: ParkedItem, now: EpochMs, policy: ReleasePolicy): boolean {
  const { owner, leaseUntil, progress, tail, since } = item;
  if (owner !== undefined && leaseUntil >= now) return false;
  const next = settledOrdinal(progress) + 1;
  if (next > tail) return true;
  const { notBefore = 0, rounds = 0, interruptions = 0 } = progress.blockedRecords.get(next) ?? {};
  if (rounds >= policy.maxRounds || interruptions >= policy.maxInterruptions) return false;
  const pauseMs = Math.min(policy.maxEveryMs, policy.everyMs * 2 ** rounds);
  return now >= Math.max(notBefore, progress.pausedUntil ?? 0, Math.max(since, leaseUntil) + pauseMs);
}

/** Progress of a parked key once everything up to an ordinal was given up on. */
export function dropUpTo(progress: Progress, ordinal: number): Progress {
  const settled = Math.max(settledOrdinal(progress), ordinal);
  const { running: _, isolateUntil: __, ...rest } = progress;
  return {
    ...rest,
    settled: settled === 0 ? NO_OFFSETS : [{ from: 1, to: settled }],
    pending: NO_OFFSETS,
    blockedRecords: new Map([...progress.blockedRecords].filter(([offset]) => offset > settled)),
  };
}
