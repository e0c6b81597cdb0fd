import {
  highest,
  includesOffset,
  intersect,
  lowest,
  NO_OFFSETS,
  type OffsetRanges,
  rangesOf,
  subtract,
  union,
} from '../record/offset-ranges.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import { FRESH_PROGRESS, type PartitionItem, type Progress, type RecordIdentity } from './progress.ts';
import { headOf, leaveCarefulMode, withHead } from './settle.ts';

/** How a claim is looked at. */
export interface ClaimPolicy {
  readonly onReplay: 'halt' | 'skip';
  readonly headGateMs: number;
}

/** Batches that must be seen beyond a missing record, once its time is over, before it counts as lost by the mapping. */
export const GATE_SIGHTINGS = 3;

/** What the invocation may do with its batch. */
export type Verdict =
  | { readonly type: 'run' }
  /** Before memory: nobody but the operator knows whether these records ran. `news`: this batch was refused just now. */
  | { readonly type: 'replayHalted'; readonly news: boolean }
  /** The batch overtook a retry: `waitsFor` must come back first. */
  | { readonly type: 'gated'; readonly waitsFor: Offset }
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
  readonly owed: OffsetRanges;
  /** The record whose identity gave the recreated topic away: progress is afresh, to be written before anything runs. */
  readonly recreatedBy?: R;
  /** The record in whose handler the process died. */
  readonly interrupted?: RecordIdentity;
}

/**
 * Looks at a granted claim: what dead invocations left behind, whether the topic is the one we know, what is settled, and
 * whether the batch may run at all. DESIGN sections 4 and 5.
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
  const { progress: inherited, interrupted, claimedByDead } = inherit(item, owner, now);
  const recreatedBy = records.find((record) => isStranger(inherited, record));
  // Decided for the whole batch: what one record gives away holds for its neighbours too.
  const known = recreatedBy === undefined ? inherited : afresh(inherited, claimedByDead);
  const delivered = rangesOf(offsetsOf(records));
  const present = withoutVanished(known, records, delivered);
  const open = records.filter((record) => !isDone(present, record, policy));
  const judged = judge(present, records, open, delivered, now, policy);
  const owed = subtract(subtract(delivered, judged.strangers), forgotten(delivered, judged.progress));
  return {
    progress: leaveCarefulMode(judged.progress, owed),
    verdict: judged.verdict,
    open,
    owed,
    ...(recreatedBy !== undefined && { recreatedBy }),
    ...(interrupted !== undefined && { interrupted }),
  };
}

function* offsetsOf(records: readonly RecordIdentity[]): Generator<Offset> {
  for (const { offset } of records) yield offset;
}

/** Before memory nothing is waited for, unless an operator lets it run again: then it is owed like anything else. */
export function forgotten(offsets: OffsetRanges, { floor = 0, runBelow = 0 }: Progress): OffsetRanges {
  return runBelow >= floor ? NO_OFFSETS : intersect(offsets, [{ from: runBelow, to: floor - 1 }]);
}

/**
 * Progress of a recreated topic. What a replay halt refused and what dead invocations had claimed may be of its new life, first
 * seen by somebody who did not live to write that down: it is waited for, and run carefully.
 */
function afresh({ standing }: Progress, claimedByDead: OffsetRanges): Progress {
  const carefulUntil = highest(claimedByDead);
  const pending = union(standing, claimedByDead);
  return { ...FRESH_PROGRESS, pending, ...(carefulUntil !== undefined && { carefulUntil }) };
}

/** Dead invocations' batches become pending and are run carefully; a death in careful mode is put down to the record that ran. */
function inherit(
  { claims, progress }: PartitionItem,
  owner: string,
  now: EpochMs,
): { progress: Progress; interrupted?: RecordIdentity; claimedByDead: OffsetRanges } {
  const { running, ...rest } = progress;
  let next: Progress = rest;
  const dead = claims.filter((claim) => claim.owner !== owner);
  const claimedByDead = dead.reduce((all, { offsets }) => union(all, offsets), NO_OFFSETS);
  if (dead.length > 0) {
    const left = subtract(claimedByDead, progress.settled);
    const carefulUntil = Math.max(progress.carefulUntil ?? -1, highest(left) ?? -1);
    next = {
      ...withoutReturned(next, dead),
      pending: union(next.pending, subtract(left, forgotten(left, progress))),
      ...(carefulUntil >= 0 && { carefulUntil }),
    };
  }
  if (running === undefined || includesOffset(progress.settled, running.offset))
    return { progress: next, claimedByDead };
  const head = headOf(next, running);
  return {
    progress: withHead(next, {
      ...head,
      interruptions: head.interruptions + 1,
      firstFailedAt: head.firstFailedAt ?? now,
    }),
    interrupted: running,
    claimedByDead,
  };
}

/** What a gate waited for was there if a dead invocation's batch held it: nobody lived to say so. */
function withoutReturned(progress: Progress, dead: PartitionItem['claims']): Progress {
  const { gate, ...ungated } = progress;
  return gate !== undefined && dead.some(({ offsets }) => includesOffset(offsets, gate.offset)) ? ungated : progress;
}

/** Whether another record stands at this offset than the one that we know. */
function isStranger({ settled, newestTimestamp, marks, heads }: Progress, record: RecordIdentity): boolean {
  const { offset, timestamp } = record;
  // Where the mapping decodes values, the relay, which reads the broker's bytes, cannot know the hash of what is delivered.
  const differs = (known: RecordIdentity) =>
    known.timestamp !== timestamp || (known.valueHash !== '' && known.valueHash !== record.valueHash);
  if (newestTimestamp !== undefined && timestamp > newestTimestamp && includesOffset(settled, offset)) return true;
  // In key order a batch is marked before its first record settles.
  const mark = marks.find((candidate) => candidate.offset === offset);
  if (mark !== undefined && differs(mark)) return true;
  const head = heads.size === 0 ? undefined : heads.get(offset);
  return head !== undefined && differs(head);
}

/** A pending offset inside the batch's range but absent from the batch no longer exists: compaction or retention took it. */
function withoutVanished(progress: Progress, records: readonly RecordIdentity[], delivered: OffsetRanges): Progress {
  const first = records[0]?.offset;
  const last = records.at(-1)?.offset;
  if (first === undefined || last === undefined || progress.pending.length === 0) return progress;
  const vanished = subtract(intersect(progress.pending, [{ from: first, to: last }]), delivered);
  if (vanished.length === 0) return progress;
  const heads = new Map([...progress.heads].filter(([offset]) => !includesOffset(vanished, offset)));
  return { ...progress, pending: subtract(progress.pending, vanished), heads };
}

/** Settled, or before memory and skipped by an operator or by policy. */
function isDone(
  { settled, pending, floor, skipBelow }: Progress,
  { offset }: RecordIdentity,
  policy: ClaimPolicy,
): boolean {
  if (includesOffset(settled, offset)) return true;
  if (floor === undefined || offset >= floor || includesOffset(pending, offset)) return false;
  return policy.onReplay === 'skip' || (skipBelow !== undefined && offset < skipBelow);
}

function judge<R extends RecordIdentity>(
  progress: Progress,
  records: readonly R[],
  open: readonly R[],
  delivered: OffsetRanges,
  now: EpochMs,
  policy: ClaimPolicy,
): { progress: Progress; verdict: Verdict; strangers: OffsetRanges } {
  const first = open[0];
  if (first === undefined) return { progress, verdict: { type: 'run' }, strangers: NO_OFFSETS };
  if (open.some((record) => isUnplaceable(progress, record, policy))) {
    const strangers = subtract(delivered, progress.pending);
    const standing = union(progress.standing, strangers);
    return { progress: { ...progress, standing }, verdict: { type: 'replayHalted', news: true }, strangers };
  }
  const lowestRefused = lowest(progress.standing);
  if (lowestRefused !== undefined && !records.some(({ offset }) => offset === lowestRefused)) {
    // The partition stands still, not the batch: what follows must not run ahead of what waits for the operator.
    return { progress, verdict: { type: 'replayHalted', news: false }, strangers: NO_OFFSETS };
  }
  const placed = { ...progress, standing: subtract(progress.standing, delivered) };
  return { ...atTheGate(placed, first.offset, delivered, now, policy), strangers: NO_OFFSETS };
}

/** Neither known nor new: forgotten, or an offset in a hole that is newer than all that settled above it. */
function isUnplaceable(progress: Progress, { offset, timestamp }: RecordIdentity, { onReplay }: ClaimPolicy): boolean {
  const { pending, floor, runBelow, settled, newestTimestamp } = progress;
  if (onReplay === 'skip' || includesOffset(pending, offset) || (runBelow !== undefined && offset < runBelow))
    return false;
  if (floor !== undefined && offset < floor) return true;
  const top = highest(settled);
  return top !== undefined && offset < top && newestTimestamp !== undefined && timestamp > newestTimestamp;
}

/*
 * The order gate. Something pending lies before the batch and is not in it: the batch overtook a retry.
 *
 *   41 reported, comes back late        42… delivered first: reported, not attempted        41 is back
 *   ─────────┬─────────────────────────────────────┬───────────────────────────────────────────┬──────▶
 *            pending 41                            gate waits for 41                           gate clears
 *
 * AWS does not say whether later records of a partition wait for a reported one, so both must be right.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 */
function atTheGate(
  progress: Progress,
  firstOpen: Offset,
  delivered: OffsetRanges,
  now: EpochMs,
  { headGateMs }: ClaimPolicy,
): { progress: Progress; verdict: Verdict } {
  const { gate: known, ...ungated } = progress;
  const missing = subtract(intersect(progress.pending, rangeBelow(firstOpen)), delivered);
  const waitsFor = lowest(missing);
  if (waitsFor === undefined) {
    const stillMissing =
      known !== undefined && includesOffset(progress.pending, known.offset) && !includesOffset(delivered, known.offset);
    return { progress: stillMissing ? progress : ungated, verdict: verdictOfPause(progress, now) };
  }
  // Only the return of the offset that is waited for starts the clock anew; else a lost record whose neighbours keep
  // coming back would gate for ever.
  const since = known?.offset === waitsFor ? known.since : now;
  const seen = known?.offset === waitsFor ? known.sightings : 0;
  // Sightings count once the time is over: a mapping that was disabled has lost nothing.
  const sightings = now - since > headGateMs ? seen + 1 : seen;
  const gated = { ...ungated, gate: { offset: waitsFor, since, sightings } };
  if (sightings < GATE_SIGHTINGS) return { progress: gated, verdict: { type: 'gated', waitsFor } };
  const goingOn = { ...ungated, pending: subtract(progress.pending, missing) };
  return { progress: gated, verdict: { type: 'abandon', offsets: missing, progress: goingOn } };
}

function rangeBelow(offset: Offset): OffsetRanges {
  return offset === 0 ? NO_OFFSETS : [{ from: 0, to: offset - 1 }];
}

/** What holds the batch once nothing is missing before it. */
export function verdictOfPause({ pausedUntil }: Progress, now: EpochMs): Verdict {
  return pausedUntil !== undefined && pausedUntil > now ? { type: 'paused', until: pausedUntil } : { type: 'run' };
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
