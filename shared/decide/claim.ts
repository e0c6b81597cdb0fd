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
import { isNewerThan, newestOf } from './newest-time.ts';
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

/** How a claim is looked at. */
export interface ClaimPolicy {
  readonly onReplay: 'halt' | 'skip';
  readonly missingRecordTimeoutMs: number;
}

/** Batches that must be seen beyond a missing record, once its time is over, before it counts as lost by the mapping. */
export const LATER_BATCHES = 3;

/** What the invocation may do with its batch. */
export type Verdict =
  | { readonly type: 'run' }
  /**
   * Nobody but the operator knows whether these records ran: they are from before memory, or what stands at a known offset is
   * `unclear`. `news`: this batch was refused just now.
   */
  | { readonly type: 'replayHalted'; readonly news: boolean; readonly unclear?: RecordIdentity }
  /** The batch overtook a retry: `waitsFor` must come back first. */
  | { readonly type: 'waiting'; readonly waitsFor: Offset }
  /** The mapping has lost `offsets`: once the queue has accepted them the batch runs, with `progress` in place of the decision's. */
  | { readonly type: 'abandon'; readonly offsets: OffsetRanges; readonly progress: Progress }
  | { readonly type: 'paused'; readonly until: EpochMs };

/** What a claimed partition item means for a batch. */
export interface ClaimDecision<R> {
  readonly progress: Progress;
  readonly verdict: Verdict;
  /** Records that are neither settled nor skipped by an operator's word, in offset order. */
  readonly open: readonly R[];
  /** Offsets of the batch that count as pending as long as they are not settled. */
  readonly mustReturn: OffsetRanges;
  /** The record, of this batch or a dead invocation's, that gave the recreated topic away: progress is afresh, to be written before anything runs. */
  readonly recreatedBy?: RecordIdentity;
  /** The record in whose handler the process died. */
  readonly interrupted?: RecordIdentity;
}

/**
 * Looks at a granted claim: what dead invocations left behind, whether the topic is the one we know, what is settled, and
 * whether the batch may run at all. docs/architecture.md.
 *
 * @param item - as the claim returned it
 * @param owner - ourselves, to tell our own entry of `claims` from a dead invocation's
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
  // Decided for the whole batch: what one record gives away holds for its neighbours too.
  // With `onReplay: 'halt'` an operator decides about what comes from before memory. Else it would be skipped; or, where a replay was
  // let run once, run as if it were of that topic, and make what follows look old.
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
  const present = withUnclear(withoutVanished(known, delivered), unclear);
  const open = records.filter((record) => !isDone(present, record, policy));
  const judged = haltedBy(present, unclear) ?? judge(present, records, open, delivered, now, policy);
  const mustReturn = subtract(subtract(delivered, judged.refused), forgotten(delivered, judged.progress));
  return {
    progress: endIsolation(judged.progress, mustReturn),
    verdict: judged.verdict,
    open,
    mustReturn,
    ...(recreatedBy !== undefined && { recreatedBy }),
    ...(interrupted !== undefined && { interrupted }),
  };
}

function* offsetsOf(records: readonly RecordIdentity[]): Generator<Offset> {
  for (const { offset } of records) yield offset;
}

/** Before memory nothing is waited for, unless an operator lets it run again: then it is due like anything else. */
export function forgotten(offsets: OffsetRanges, { floor = 0, runBelow = 0 }: Progress): OffsetRanges {
  return below(atOrAbove(offsets, runBelow), floor);
}

/** What dead invocations leave to whoever comes next. */
export interface TakenOver {
  readonly progress: Progress;
  readonly interrupted?: RecordIdentity;
  readonly claimedByDead: OffsetRanges;
  /** The first record of each of their batches. */
  readonly firstOfDead: readonly RecordIdentity[];
}

/** Dead invocations' batches become pending and are run carefully; a death in crash isolation is put down to the record that ran. */
export function takeOver({ claims, progress }: PartitionItem, owner: string, now: EpochMs): TakenOver {
  const { running, ...rest } = progress;
  let next: Progress = rest;
  const dead = claims.filter((claim) => claim.owner !== owner);
  const claimedByDead = dead.reduce((all, { offsets }) => union(all, offsets), NO_OFFSETS);
  const firstOfDead = dead.flatMap(({ first }) => first ?? []);
  if (dead.length > 0) {
    const left = subtract(claimedByDead, progress.settled);
    const isolateUntil = Math.max(progress.isolateUntil ?? -1, highest(left) ?? -1);
    next = {
      ...withoutReturned(next, dead),
      pending: dead.reduce((pending, { offsets }) => owing(pending, offsets, progress), next.pending),
      ...(isolateUntil >= 0 && { isolateUntil }),
    };
  }
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

/** With what a dead invocation's batch leaves: what of it is neither settled nor before memory. */
function owing(pending: OffsetRanges, batch: OffsetRanges, progress: Progress): OffsetRanges {
  const unsettled = subtract(batch, progress.settled);
  const left = subtract(unsettled, forgotten(unsettled, progress));
  return withBatch(pending, left, MAX_PENDING_RANGES, progress.settled);
}

/** What a gate waited for was there if a dead invocation's batch held it: nobody lived to say so. */
function withoutReturned(progress: Progress, dead: PartitionItem['claims']): Progress {
  const { missingRecord, ...notWaiting } = progress;
  return missingRecord !== undefined && dead.some(({ offsets }) => includesOffset(offsets, missingRecord.offset))
    ? notWaiting
    : progress;
}

/** What nobody can tell from the record that settled does not count as settled until an operator has decided about it. */
function withUnclear(progress: Progress, unclear: readonly RecordIdentity[]): Progress {
  if (unclear.length === 0) return progress;
  const offsets = rangesOf(offsetsOf(unclear));
  return {
    ...progress,
    settled: subtract(progress.settled, offsets),
    replayRefused: union(progress.replayRefused, offsets),
  };
}

function haltedBy(progress: Progress, unclear: readonly RecordIdentity[]): Judged | undefined {
  const [first] = unclear;
  if (first === undefined) return undefined;
  // What is pending stays so: if this is the record that we know, it is still due.
  const refused = subtract(rangesOf(offsetsOf(unclear)), progress.pending);
  return { progress, verdict: { type: 'replayHalted', news: true, unclear: first }, refused };
}

/** What of a batch runs. `refused`: what of it nobody waits for. */
interface Judged {
  readonly progress: Progress;
  readonly verdict: Verdict;
  readonly refused: OffsetRanges;
}

/** A pending offset inside the batch's range but absent from the batch no longer exists: compaction or retention took it. */
function withoutVanished(progress: Progress, delivered: OffsetRanges): Progress {
  const spanned = below(atOrAbove(progress.pending, lowest(delivered) ?? 0), (highest(delivered) ?? -1) + 1);
  const vanished = subtract(spanned, delivered);
  if (vanished.length === 0) return progress;
  const gone = [...progress.blockedRecords.values()].filter(({ offset }) => includesOffset(vanished, offset));
  const left = withGoneMarks(progress, marksAmong(gone));
  const blockedRecords = new Map([...left.blockedRecords].filter(([offset]) => !includesOffset(vanished, offset)));
  return { ...left, pending: subtract(progress.pending, vanished), blockedRecords };
}

/** Settled, or before memory and skipped by an operator or by policy. Neither ever means what is newer than all that settled. */
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
  if (unplaceable.length > 0) {
    // What is pending is known, unless a dead invocation made it so without a look: then what it claimed waits for the operator too.
    const pending = subtract(progress.pending, rangesOf(offsetsOf(unplaceable)));
    const refused = subtract(delivered, pending);
    const replayRefused = withBatch(progress.replayRefused, refused, MAX_REFUSED_RANGES, NO_OFFSETS);
    const { newestRefused: before, ...halted } = progress;
    const { newestTimestamp: newestRefused } = newestAmong(
      unplaceable,
      progress.replayRefused.length === 0 ? undefined : before,
    );
    const isNew = newestRefused !== undefined && isNewerThan(newestRefused, progress.newestTimestamp);
    return {
      progress: { ...halted, pending, replayRefused, ...(isNew && { newestRefused }) },
      verdict: { type: 'replayHalted', news: true },
      refused,
    };
  }
  const lowestRefused = lowest(progress.replayRefused);
  if (lowestRefused !== undefined && !records.some(({ offset }) => offset === lowestRefused)) {
    // The partition stands still, not the batch: what follows must not run ahead of what waits for the operator.
    return { progress, verdict: { type: 'replayHalted', news: false }, refused: NO_OFFSETS };
  }
  const placed = { ...progress, replayRefused: subtract(progress.replayRefused, delivered) };
  const { verdict, progress: waiting } = waitForMissing(placed, first.offset, delivered, now, policy);
  const refused = NO_OFFSETS;
  if (verdict.type === 'run') return { progress: reaching(waiting, open), verdict, refused };
  if (verdict.type !== 'abandon') return { progress: waiting, verdict, refused };
  return { progress: waiting, verdict: { ...verdict, progress: reaching(verdict.progress, open) }, refused };
}

/** What runs is of the topic's present life: none of it may look newer than what settles of it, in key order before it. */
function reaching(progress: Progress, open: readonly RecordIdentity[]): Progress {
  return { ...progress, ...newestAmong(open, progress.newestTimestamp) };
}

function newestAmong(
  records: readonly RecordIdentity[],
  known: EpochMs | undefined,
): { readonly newestTimestamp?: EpochMs } {
  const newestTimestamp = records.reduce((newest, { timestamp }) => newestOf(newest, timestamp), known);
  return newestTimestamp === undefined ? {} : { newestTimestamp };
}

/** Neither known nor new: forgotten, or an offset in a hole that is newer than all that settled above it. */
function isUnplaceable(progress: Progress, { offset, timestamp }: RecordIdentity, { onReplay }: ClaimPolicy): boolean {
  const { pending, floor = 0, runBelow = 0, settled, newestTimestamp } = progress;
  if (onReplay === 'skip' || offset < runBelow) return false;
  if (offset < floor) return !includesOffset(pending, offset);
  return offset < (highest(settled) ?? 0) && isNewerThan(timestamp, newestTimestamp);
}

/*
 * The wait for a missing record. Something pending lies before the batch and is not in it: the batch overtook a retry.
 *
 *   41 reported, comes back late        42… delivered first: reported, not attempted        41 is back
 *   ─────────┬─────────────────────────────────────┬───────────────────────────────────────────┬──────▶
 *            pending 41                            gate waits for 41                           gate clears
 *
 * AWS does not say whether later records of a partition wait for a reported one, so both must be right.
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
  // Only the return of the offset that is waited for starts the clock anew; else a lost record whose neighbours keep
  // coming back would gate for ever.
  const since = known?.offset === waitsFor ? known.since : now;
  const seen = known?.offset === waitsFor ? known.laterBatches : 0;
  // Sightings count once the time is over: a mapping that was disabled has lost nothing.
  const laterBatches = now - since > missingRecordTimeoutMs ? seen + 1 : seen;
  const waiting = { ...notWaiting, missingRecord: { offset: waitsFor, since, laterBatches } };
  if (laterBatches < LATER_BATCHES) return { progress: waiting, verdict: { type: 'waiting', waitsFor } };
  return { progress: waiting, verdict: { type: 'abandon', offsets: missing, progress: abandon(notWaiting, missing) } };
}

/** What holds the batch once nothing is missing before it. */
export function verdictOfPause({ pausedUntil = 0 }: Progress, now: EpochMs): Verdict {
  return pausedUntil > now ? { type: 'paused', until: pausedUntil } : { type: 'run' };
}

/** Every offset of `ranges`, for logs; cut after ten. */
export function describeOffsets(ranges: OffsetRanges): string {
  return ranges.length === 0
    ? 'none'
    : ranges
        .slice(0, 10)
        .map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`))
        .join(', ');
}
