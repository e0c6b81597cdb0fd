import {
  atOrAbove,
  below,
  eachOffset,
  includesOffset,
  intersect,
  type OffsetRange,
  type OffsetRanges,
  subtract,
  union,
} from '../record/offset-ranges.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import { type ClaimDecision, type ClaimPolicy, decideClaim, forgotten } from './claim.ts';
import { fingerprint } from './fingerprint.ts';
import { marksAmong } from './parking.ts';
import type { BlockedRecord, ErrorSummary, PartitionItem, Progress, RecordIdentity } from './progress.ts';
import { isNewBeforeMemory } from './recreation.ts';
import { letterLimit } from './retry-policy.ts';
import { blockedRecordOf, MAX_BLOCKED_RECORDS, withBlockedRecord, withoutAbandoned } from './settle.ts';

/** Why a record comes to the relay. */
export interface RelayCause {
  readonly code: 'RECORD_ABANDONED' | 'RECORD_UNDELIVERABLE';
  readonly text: string;
}

/**
 * What a relay or operator function finds when it claims a partition. `recreatedBy`: the dead invocation's record that shows a
 * recreated topic.
 */
export type OperationsClaim = Pick<ClaimDecision<RecordIdentity>, 'progress' | 'recreatedBy' | 'interrupted'>;

/** A claim of the relay or of an operator. What dead invocations left behind becomes pending; the claim itself adds nothing. */
export function decideOperationsClaim(
  item: PartitionItem,
  owner: string,
  now: EpochMs,
  policy: ClaimPolicy,
): OperationsClaim {
  return decideClaim<RecordIdentity>(item, owner, [], now, policy);
}

/** The offsets for which the relay may write dead letters: those that were left to it, and those that are pending. */
export function dueForRelay({ pending, abandoned = [] }: Progress, offsets: OffsetRanges): OffsetRanges {
  return intersect(offsets, union(pending, abandoned));
}

/** Offsets that the ledger does not know: neither pending nor settled, now or before it forgot them. */
export function unknownToLedger(progress: Progress, offsets: OffsetRanges): OffsetRanges {
  const { settled, floor = 0 } = progress;
  return atOrAbove(subtract(subtract(offsets, settled), dueForRelay(progress, offsets)), floor);
}

/** Offsets of `range` that are neither settled nor skipped by an operator (forgotten and below `skipBelow`). */
export function unsettledIn(
  { settled, pending, floor = 0, skipBelow = 0 }: Progress,
  range: OffsetRange,
): OffsetRanges {
  const open = subtract([range], settled);
  const skipped = below(open, Math.min(floor, skipBelow));
  return subtract(open, subtract(skipped, pending));
}

/** Whether an operator's decision settles the record: its offset is forgotten, and it is not newer than everything settled. */
export function isSkipped(progress: Progress, record: RecordIdentity): boolean {
  const { pending, floor = 0, skipBelow = 0 } = progress;
  const isMeant = record.offset < Math.min(floor, skipBelow) && !includesOffset(pending, record.offset);
  return isMeant && !isNewBeforeMemory(progress, record);
}

/**
 * Whether it is not known if the record was handled: the ledger has forgotten its offset, it is not pending, and it has no
 * blocked record. Its dead letter says so, and a redrive leaves it out unless told otherwise.
 */
export function isDoubtful(progress: Progress, offset: Offset): boolean {
  const { floor = 0, blockedRecords } = progress;
  const isDue = dueForRelay(progress, [{ from: offset, to: offset }]).length > 0;
  return offset < floor && !isDue && !blockedRecords.has(offset);
}

/**
 * Whether an earlier record is pending that the relay does not have, and that has no dead letter due: Lambda may still deliver it. A
 * record that parked before it would run before it.
 *
 * @param ours - offsets that the relay works on, in their order
 */
export function hasOpenBefore(progress: Progress, offset: Offset, ours: OffsetRanges): boolean {
  const { pending, settled, blockedRecords } = progress;
  const open = subtract(subtract(below(pending, offset), ours), settled);
  for (const at of eachOffset(open)) if (blockedRecords.get(at)?.exhausted !== true) return true;
  return false;
}

/**
 * The blocked record for a record that gets its dead letter: its tries so far, and `cause` where it has no error of its own. It
 * is exhausted, so that the handler never gets it again.
 */
export function exhaustedRecord(
  progress: Progress,
  record: RecordIdentity,
  cause: RelayCause,
  now: EpochMs,
): BlockedRecord {
  const blocked = blockedRecordOf(progress, record);
  const error: ErrorSummary = { name: cause.code, text: cause.text, stage: 'unattempted' };
  return {
    ...blocked,
    exhausted: true,
    firstFailedAt: blocked.firstFailedAt ?? now,
    ...(blocked.error === undefined && blocked.interruptions === 0 && { error, fingerprint: fingerprint(error) }),
  };
}

/** Progress with these blocked records added. */
export function withBlockedRecords(progress: Progress, blockedRecords: readonly BlockedRecord[]): Progress {
  return blockedRecords.reduce(withBlockedRecord, progress);
}

/** How many more records may become exhausted. The flood breaker and the room in the item limit them. */
export function roomForLetters(progress: Progress): number {
  const marked = [...progress.blockedRecords.values()].filter(
    ({ exhausted, parked }) => exhausted && (parked?.ordinal ?? 1) === 1,
  ).length;
  const untilBreaker = letterLimit(progress) - progress.consecutiveDeadLetters - marked;
  return Math.max(0, Math.min(untilBreaker, MAX_BLOCKED_RECORDS - progress.blockedRecords.size));
}

/** The range in pieces: each mark of a parked record alone, since it needs a letter under its own ordinal. */
export function aroundParkedMarks({ blockedRecords }: Progress, { from, to }: OffsetRange): readonly OffsetRange[] {
  const marks = marksAmong(blockedRecords.values()).filter(({ offset }) => offset >= from && offset <= to);
  const pieces: OffsetRange[] = [];
  let start = from;
  for (const { offset } of marks.toSorted((a, b) => a.offset - b.offset)) {
    if (start < offset) pieces.push({ from: start, to: offset - 1 });
    pieces.push({ from: offset, to: offset });
    start = offset + 1;
  }
  return start <= to ? [...pieces, { from: start, to }] : pieces;
}

/** Progress without offsets at which Kafka holds no record. Nothing waits for them any more. */
export function withoutAbsent(progress: Progress, absent: OffsetRanges): Progress {
  if (absent.length === 0) return progress;
  const blockedRecords = new Map([...progress.blockedRecords].filter(([offset]) => !includesOffset(absent, offset)));
  const pending = subtract(progress.pending, absent);
  return stopWaiting({ ...withoutAbandoned(progress, absent), pending, blockedRecords });
}

/** Ends the wait for a record that is not pending any more. */
export function stopWaiting(progress: Progress): Progress {
  const { missingRecord, ...notWaiting } = progress;
  return missingRecord === undefined || includesOffset(progress.pending, missingRecord.offset) ? progress : notWaiting;
}

/** When the oldest blocked record first failed; `undefined` where none is blocked. */
export function blockedSince({ blockedRecords }: Progress): EpochMs | undefined {
  const times = [...blockedRecords.values()].flatMap(({ firstFailedAt }) => firstFailedAt ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * Whether a partition waits for an operator: offsets came back that the ledger has forgotten, or a record is blocked because the
 * flood breaker is open.
 */
export function isHalted(progress: Progress): boolean {
  const { replayRefused, blockedRecords, consecutiveDeadLetters } = progress;
  return replayRefused.length > 0 || (blockedRecords.size > 0 && consecutiveDeadLetters >= letterLimit(progress));
}

/**
 * Offsets that Lambda has lost for good: pending or claimed by a dead invocation, below the group's committed offset, and not
 * claimed by anyone for `missingRecordTimeoutMs`. Lambda will still deliver the others.
 *
 * @param committed - the group's committed offset: the next one that the mapping would read
 */
export function lostForGood(
  item: PartitionItem,
  committed: Offset,
  now: EpochMs,
  missingRecordTimeoutMs: number,
): OffsetRanges {
  if (now - item.leaseUntil < missingRecordTimeoutMs) return [];
  const { settled, pending } = item.progress;
  const claimed = item.claims.reduce((all, { offsets }) => union(all, offsets), [] as OffsetRanges);
  const dead = subtract(claimed, forgotten(claimed, item.progress));
  const unsettled = subtract(union(pending, dead), settled);
  return below(unsettled, committed);
}
