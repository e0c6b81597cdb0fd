import {
  atOrAbove,
  below,
  highest,
  includesOffset,
  lowest,
  NO_OFFSETS,
  type OffsetRanges,
  rangesOf,
  subtract,
  union,
} from '../record/offset-ranges.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import { isNewerThan, newestAmong } from './newest-time.ts';
import { marksAmong, withGoneMarks } from './parking.ts';
import type { PartitionItem, Progress, RecordIdentity } from './progress.ts';
import {
  isAnotherRecord,
  isNewBeforeMemory,
  isNewBelowSettled,
  isNewInReplay,
  isUnclear,
  restartProgress,
} from './recreation.ts';
import {
  abandon,
  blockedRecordOf,
  endIsolation,
  MAX_PENDING_RANGES,
  MAX_REFUSED_RANGES,
  withBatch,
  withBlockedRecord,
} from './settle.ts';

/** The consumer's options that decide about a claim. */
export interface ClaimPolicy {
  readonly onReplay: 'halt' | 'skip';
  readonly missingRecordTimeoutMs: number;
}

/** How many later batches must come, after the time of a missing record is over, before the record counts as lost by Lambda. */
export const LATER_BATCHES = 3;

/** What the invocation may do with its batch. */
export type Verdict =
  | { readonly type: 'run' }
  /**
   * Only an operator knows whether these records were handled: the ledger has forgotten their offsets, or another value came
   * back at a known offset (`unclear`). `isNew`: this batch itself was refused just now.
   */
  | { readonly type: 'replayHalted'; readonly isNew: boolean; readonly unclear?: RecordIdentity }
  /** The batch overtook a retry: the record at `waitsFor` must come first. */
  | { readonly type: 'waiting'; readonly waitsFor: Offset }
  /**
   * Lambda has lost `offsets`. Once the fallback queue has accepted them, the batch runs, with this `progress` instead of the
   * decision's.
   */
  | { readonly type: 'abandon'; readonly offsets: OffsetRanges; readonly progress: Progress }
  | { readonly type: 'paused'; readonly until: EpochMs };

/** What a granted claim means for a batch. */
export interface ClaimDecision<R> {
  readonly progress: Progress;
  readonly verdict: Verdict;
  /** Records that are neither settled nor skipped by an operator, in offset order. */
  readonly open: readonly R[];
  /** Offsets of the batch that Lambda must deliver again as long as they are not settled. */
  readonly toRedeliver: OffsetRanges;
  /**
   * The record that shows that the topic was recreated: one of this batch, or of a dead invocation's batch. Progress starts
   * from nothing then, and is written before any record runs.
   */
  readonly recreatedBy?: RecordIdentity;
  /** The record in whose handler the process died. */
  readonly interrupted?: RecordIdentity;
}

/**
 * Judges a granted claim: what dead invocations left behind, whether the topic was recreated, which records are settled, and
 * whether the batch may run at all. See docs/architecture.md.
 *
 * @param item - as the claim returned it
 * @param owner - our own, to tell our entry of `claims` from those of dead invocations
 * @param records - the delivered batch in offset order, at least one
 */
export function decideClaim<R extends RecordIdentity>(
  item: PartitionItem,
  owner: string,
  records: readonly R[],
  now: EpochMs,
  policy: ClaimPolicy,
): ClaimDecision<R> {
  const { progress: takenOver, interrupted, claimedByDead, firstOfDead } = takeOver(item, owner, now);
  // Decided for the whole batch: a record that shows a recreated topic shows it for all others. With `onReplay: 'halt'` an
  // operator decides about offsets that the ledger has forgotten. With `'skip'` the new topic's records would be skipped. Where
  // an operator let a replay run once, they would run as if they were the old topic's, and later ones would look old.
  const isOfAnotherLife = (progress: Progress, record: RecordIdentity) =>
    isAnotherRecord(progress, record) ||
    isNewInReplay(progress, record) ||
    (policy.onReplay === 'skip' && (isNewBeforeMemory(progress, record) || isNewBelowSettled(progress, record)));
  const recreatedBy =
    firstOfDead.find((first) => isOfAnotherLife(item.progress, first)) ??
    records.find((record) => isOfAnotherLife(takenOver, record));
  const known = recreatedBy === undefined ? takenOver : restartProgress(takenOver, claimedByDead, records);
  const delivered = rangesOf(offsetsOf(records));
  const unclear = records.filter((record) => isUnclear(known, record));
  const present = withoutVanished(known, delivered);
  const halted = haltedBy(present, unclear);
  const open = records.filter((record) => !isDone(halted?.progress ?? present, record, policy));
  const judged = halted ?? judge(present, records, open, delivered, now, policy);
  const toRedeliver = subtract(subtract(delivered, judged.refused), forgotten(delivered, judged.progress));
  return {
    progress: endIsolation(judged.progress, toRedeliver),
    verdict: judged.verdict,
    open,
    toRedeliver,
    ...(recreatedBy !== undefined && { recreatedBy }),
    ...(interrupted !== undefined && { interrupted }),
  };
}

function* offsetsOf(records: readonly RecordIdentity[]): Generator<Offset> {
  for (const { offset } of records) yield offset;
}

/** The ledger does not wait for offsets that it has forgotten, unless an operator lets them run again. */
export function forgotten(offsets: OffsetRanges, { floor = 0, runBelow = 0 }: Progress): OffsetRanges {
  return below(atOrAbove(offsets, runBelow), floor);
}

/** What dead invocations left behind. */
export interface TakenOver {
  readonly progress: Progress;
  readonly interrupted?: RecordIdentity;
  readonly claimedByDead: OffsetRanges;
  /** The first record of each of their batches. */
  readonly firstOfDead: readonly RecordIdentity[];
}

/**
 * The batches of dead invocations become pending, and crash isolation starts. A death in crash isolation counts as an
 * interruption of the record that ran.
 */
export function takeOver({ claims, progress }: PartitionItem, owner: string, now: EpochMs): TakenOver {
  const { running, ...rest } = progress;
  const dead = claims.filter((claim) => claim.owner !== owner);
  const claimedByDead = dead.reduce((all, { offsets }) => union(all, offsets), NO_OFFSETS);
  const firstOfDead = dead.map(({ first }) => first).filter((first) => first !== undefined);
  const left = subtract(claimedByDead, progress.settled);
  const isolateUntil = Math.max(progress.isolateUntil ?? -1, highest(left) ?? -1);
  const next: Progress = {
    ...withoutReturned(rest, dead),
    pending: dead.reduce((pending, { offsets }) => withUnsettled(pending, offsets, progress), progress.pending),
    ...(isolateUntil >= 0 && { isolateUntil }),
  };
  if (running === undefined || includesOffset(progress.settled, running.offset))
    return { progress: next, claimedByDead, firstOfDead };
  const blocked = blockedRecordOf(next, running);
  return {
    progress: withBlockedRecord(next, {
      ...blocked,
      interruptions: blocked.interruptions + 1,
      firstFailedAt: blocked.firstFailedAt ?? now,
    }),
    interrupted: running,
    claimedByDead,
    firstOfDead,
  };
}

/** Adds what a dead invocation's batch leaves pending: offsets that are neither settled nor forgotten. */
function withUnsettled(pending: OffsetRanges, batch: OffsetRanges, progress: Progress): OffsetRanges {
  const unsettled = subtract(batch, progress.settled);
  const left = subtract(unsettled, forgotten(unsettled, progress));
  return withBatch(pending, left, MAX_PENDING_RANGES, progress.settled);
}

/** Ends the wait for a missing record that a dead invocation had in its batch: Lambda did redeliver it. */
function withoutReturned(progress: Progress, dead: PartitionItem['claims']): Progress {
  const { missingRecord } = progress;
  if (missingRecord === undefined || !dead.some(({ offsets }) => includesOffset(offsets, missingRecord.offset)))
    return progress;
  const { missingRecord: _, ...notWaiting } = progress;
  return notWaiting;
}

/** An unclear record does not count as settled until an operator has decided about it. */
function haltedBy(progress: Progress, unclear: readonly RecordIdentity[]): Judged | undefined {
  const [first] = unclear;
  if (first === undefined) return undefined;
  const offsets = rangesOf(offsetsOf(unclear));
  return {
    progress: {
      ...progress,
      settled: subtract(progress.settled, offsets),
      replayRefused: union(progress.replayRefused, offsets),
    },
    verdict: { type: 'replayHalted', isNew: true, unclear: first },
    // A pending offset stays pending: if this is the record that we know, it must still be handled.
    refused: subtract(offsets, progress.pending),
  };
}

/** What of a batch may run. `refused`: offsets of the batch that nothing waits for. */
interface Judged {
  readonly progress: Progress;
  readonly verdict: Verdict;
  readonly refused: OffsetRanges;
}

/**
 * Removes pending offsets that lie inside the batch's range but are not in the batch. They do not exist any more: compaction or
 * retention removed them.
 */
function withoutVanished(progress: Progress, delivered: OffsetRanges): Progress {
  const spanned = below(atOrAbove(progress.pending, lowest(delivered) ?? 0), (highest(delivered) ?? -1) + 1);
  const vanished = subtract(spanned, delivered);
  if (vanished.length === 0) return progress;
  const gone = [...progress.blockedRecords.values()].filter(({ offset }) => includesOffset(vanished, offset));
  const left = withGoneMarks(progress, marksAmong(gone));
  const blockedRecords = new Map([...left.blockedRecords].filter(([offset]) => !includesOffset(vanished, offset)));
  return { ...left, pending: subtract(progress.pending, vanished), blockedRecords };
}

/**
 * Settled, or forgotten and skipped by an operator or by `onReplay: 'skip'`. A record that is newer than everything settled is
 * never skipped.
 */
function isDone(progress: Progress, record: RecordIdentity, policy: ClaimPolicy): boolean {
  const { settled, pending, floor = 0, skipBelow = 0 } = progress;
  const { offset } = record;
  if (includesOffset(settled, offset)) return true;
  if (offset >= floor || includesOffset(pending, offset) || isNewBeforeMemory(progress, record)) return false;
  return policy.onReplay === 'skip' || offset < skipBelow;
}

function judge<R extends RecordIdentity>(
  progress: Progress,
  records: readonly R[],
  open: readonly R[],
  delivered: OffsetRanges,
  now: EpochMs,
  policy: ClaimPolicy,
): Judged {
  const first = open[0];
  if (first === undefined) return { progress, verdict: { type: 'run' }, refused: NO_OFFSETS };
  const unplaceable = open.filter((record) => isUnplaceable(progress, record, policy));
  const [firstUnplaceable] = unplaceable;
  if (firstUnplaceable !== undefined) {
    // A pending offset is known, unless it became pending because a dead invocation had claimed it unchecked. Then it waits for
    // the operator, too.
    const pending = subtract(progress.pending, rangesOf(offsetsOf(unplaceable)));
    const refused = subtract(delivered, pending);
    const replayRefused = withBatch(progress.replayRefused, refused, MAX_REFUSED_RANGES, NO_OFFSETS);
    const { newestRefused: before, ...halted } = progress;
    const known = progress.replayRefused.length === 0 ? undefined : before;
    const newestRefused = newestAmong(unplaceable, known ?? firstUnplaceable.timestamp);
    const isNew = isNewerThan(newestRefused, progress.newestTimestamp);
    return {
      progress: { ...halted, pending, replayRefused, ...(isNew && { newestRefused }) },
      verdict: { type: 'replayHalted', isNew: true },
      refused,
    };
  }
  const lowestRefused = lowest(progress.replayRefused);
  if (lowestRefused !== undefined && !records.some(({ offset }) => offset === lowestRefused)) {
    // The whole partition is halted, not only this batch: later records must not run before those that wait for the operator.
    return { progress, verdict: { type: 'replayHalted', isNew: false }, refused: NO_OFFSETS };
  }
  const placed = { ...progress, replayRefused: subtract(progress.replayRefused, delivered) };
  const { verdict, progress: waiting } = waitForMissing(placed, first.offset, delivered, now, policy);
  const refused = NO_OFFSETS;
  // Records that run belong to the topic as it is now. Their timestamps count as known, so that none of them looks newer than one
  // that settles before it (in key order).
  const newestTimestamp = newestAmong(open, progress.newestTimestamp ?? first.timestamp);
  if (verdict.type === 'run') return { progress: { ...waiting, newestTimestamp }, verdict, refused };
  if (verdict.type !== 'abandon') return { progress: waiting, verdict, refused };
  return { progress: waiting, verdict: { ...verdict, progress: { ...verdict.progress, newestTimestamp } }, refused };
}

/**
 * Neither known nor new: a forgotten offset, or an unsettled offset below settled ones with a record that is newer than all of
 * them.
 */
function isUnplaceable(progress: Progress, { offset, timestamp }: RecordIdentity, { onReplay }: ClaimPolicy): boolean {
  const { pending, floor = 0, runBelow = 0, settled, newestTimestamp } = progress;
  if (onReplay === 'skip' || offset < runBelow) return false;
  if (offset < floor) return !includesOffset(pending, offset);
  return offset < (highest(settled) ?? 0) && isNewerThan(timestamp, newestTimestamp);
}

/*
 * The wait for a missing record. A pending offset lies before the batch and is not in it: the batch overtook a retry.
 *
 *   41 reported, comes back late        42… delivered first: reported, not attempted        41 is back
 *   ─────────┬─────────────────────────────────────┬───────────────────────────────────────────┬──────▶
 *            pending 41                            the batch waits for 41                     the wait ends
 *
 * AWS does not say whether later records of a partition wait for a reported one. Both must be right.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 */
function waitForMissing(
  progress: Progress,
  firstOpen: Offset,
  delivered: OffsetRanges,
  now: EpochMs,
  { missingRecordTimeoutMs }: ClaimPolicy,
): { progress: Progress; verdict: Verdict } {
  const { missingRecord: known, ...notWaiting } = progress;
  const missing = subtract(below(progress.pending, firstOpen), delivered);
  const waitsFor = lowest(missing);
  if (waitsFor === undefined) {
    const stillMissing =
      known !== undefined && includesOffset(progress.pending, known.offset) && !includesOffset(delivered, known.offset);
    return { progress: stillMissing ? progress : notWaiting, verdict: verdictOfPause(progress, now) };
  }
  // Only the return of the missing record itself ends its wait. Otherwise a lost record whose neighbours keep coming back
  // would hold the partition for ever.
  const since = known?.offset === waitsFor ? known.since : now;
  const seen = known?.offset === waitsFor ? known.laterBatches : 0;
  // Later batches are counted only once the time is over: a mapping that was disabled has lost nothing.
  const laterBatches = now - since > missingRecordTimeoutMs ? seen + 1 : seen;
  const waiting = { ...notWaiting, missingRecord: { offset: waitsFor, since, laterBatches } };
  if (laterBatches < LATER_BATCHES) return { progress: waiting, verdict: { type: 'waiting', waitsFor } };
  return { progress: waiting, verdict: { type: 'abandon', offsets: missing, progress: abandon(notWaiting, missing) } };
}

/** The verdict once no record is missing before the batch. */
export function verdictOfPause({ pausedUntil = 0 }: Progress, now: EpochMs): Verdict {
  return pausedUntil > now ? { type: 'paused', until: pausedUntil } : { type: 'run' };
}

/** The offsets of `ranges` as text for logs, at most ten ranges. */
export function describeOffsets(ranges: OffsetRanges): string {
  return ranges.length === 0
    ? 'none'
    : ranges
        .slice(0, 10)
        .map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`))
        .join(', ');
}
