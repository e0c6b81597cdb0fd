import {
  atOrAbove,
  below,
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
import type { BlockedRecord, ErrorSummary, PartitionItem, Progress, RecordIdentity } from './progress.ts';
import { isNewBeforeMemory } from './recreation.ts';
import { letterLimit } from './retry-policy.ts';
import { blockedRecordOf, MAX_HEADS, withBlockedRecord, withoutAbandoned } from './settle.ts';

/** Why a record comes to the relay. */
export interface RelayCause {
  readonly code: 'RECORD_ABANDONED' | 'RECORD_UNDELIVERABLE';
  readonly text: string;
}

/** What a relay or operator function finds. `recreatedBy`: the dead invocation's record that gave a recreated topic away; progress is afresh. */
export type OperationsClaim = Pick<ClaimDecision<RecordIdentity>, 'progress' | 'recreatedBy' | 'interrupted'>;

/** A claim of the relay or of an operator: what dead invocations left behind is pending, nothing of its own is. */
export function decideOperationsClaim(
  item: PartitionItem,
  owner: string,
  now: EpochMs,
  policy: ClaimPolicy,
): OperationsClaim {
  return decideClaim<RecordIdentity>(item, owner, [], now, policy);
}

/** What of these offsets the relay may write letters of: what was left to it, and what is due at all. */
export function dueForRelay({ pending, abandoned = [] }: Progress, offsets: OffsetRanges): OffsetRanges {
  return intersect(offsets, union(pending, abandoned));
}

/** What of these offsets the ledger neither owes nor knows as settled, now or before its memory. */
export function unknownToLedger(progress: Progress, offsets: OffsetRanges): OffsetRanges {
  const { settled, floor = 0 } = progress;
  return atOrAbove(subtract(subtract(offsets, settled), dueForRelay(progress, offsets)), floor);
}

/** What of `range` is not settled, nor skipped by an operator's word: that is before memory and below `skipBelow`. */
export function unsettledIn(
  { settled, pending, floor = 0, skipBelow = 0 }: Progress,
  range: OffsetRange,
): OffsetRanges {
  const open = subtract([range], settled);
  const skipped = below(open, Math.min(floor, skipBelow));
  return subtract(open, subtract(skipped, pending));
}

/** Whether an operator's word settles the record: it is before memory, and not newer than all that settled. */
export function isSkipped(progress: Progress, record: RecordIdentity): boolean {
  const { pending, floor = 0, skipBelow = 0 } = progress;
  const isMeant = record.offset < Math.min(floor, skipBelow) && !includesOffset(pending, record.offset);
  return isMeant && !isNewBeforeMemory(progress, record);
}

/**
 * Whether nobody can tell if the record was handled: the ledger's memory no longer reaches back to it, and it has neither a blocked record
 * nor is it due. Its letter says so, and a redrive leaves it out unless told otherwise.
 */
export function isDoubtful(progress: Progress, offset: Offset): boolean {
  const { floor = 0, blockedRecords } = progress;
  const isDue = dueForRelay(progress, [{ from: offset, to: offset }]).length > 0;
  return offset < floor && !isDue && !blockedRecords.has(offset);
}

/**
 * The blocked record under which a record gets its letter: its tries so far, and why it is given up on where nothing of its own says so.
 * Marked, so that it never meets its handler again.
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

/** Progress with these blocked records marked. */
export function withBlockedRecords(progress: Progress, blockedRecords: readonly BlockedRecord[]): Progress {
  return blockedRecords.reduce(withBlockedRecord, progress);
}

/** How many more records may be marked: the flood breaker and the item's room limit them. */
export function roomForLetters(progress: Progress): number {
  const marked = [...progress.blockedRecords.values()].filter(({ exhausted }) => exhausted).length;
  const untilBreaker = letterLimit(progress) - progress.consecutiveDeadLetters - marked;
  return Math.max(0, Math.min(untilBreaker, MAX_HEADS - progress.blockedRecords.size));
}

/** Offsets at which Kafka holds nothing any more, or never did: nobody has to wait for them. The gate opens. */
export function withoutAbsent(progress: Progress, absent: OffsetRanges): Progress {
  if (absent.length === 0) return progress;
  const blockedRecords = new Map([...progress.blockedRecords].filter(([offset]) => !includesOffset(absent, offset)));
  const pending = subtract(progress.pending, absent);
  return stopWaiting({ ...withoutAbandoned(progress, absent), pending, blockedRecords });
}

/** The gate waits only for what is pending. */
export function stopWaiting(progress: Progress): Progress {
  const { missingRecord, ...notWaiting } = progress;
  return missingRecord === undefined || includesOffset(progress.pending, missingRecord.offset) ? progress : notWaiting;
}

/** When the oldest blocked record first failed; `undefined` where nothing blocks. */
export function blockedSince({ blockedRecords }: Progress): EpochMs | undefined {
  const times = [...blockedRecords.values()].flatMap(({ firstFailedAt }) => firstFailedAt ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * What the mapping has lost for good: pending, or a dead invocation's, below what the group has committed, and not claimed by
 * anybody for `missingRecordTimeoutMs`. The rest the mapping still owes.
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
  const mustReturn = subtract(union(pending, dead), settled);
  return below(mustReturn, committed);
}
