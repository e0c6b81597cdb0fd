import {
  below,
  includesOffset,
  type OffsetRange,
  type OffsetRanges,
  subtract,
  union,
} from '../record/offset-ranges.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import { type ClaimDecision, type ClaimPolicy, decideClaim, forgotten } from './claim.ts';
import { fingerprint } from './fingerprint.ts';
import type { ErrorSummary, Head, PartitionItem, Progress, RecordIdentity } from './progress.ts';
import { letterLimit } from './retry-policy.ts';
import { headOf, MAX_HEADS, withHead } from './settle.ts';

/** Why a record comes to the relay. */
export interface RelayCause {
  readonly code: 'RECORD_ABANDONED' | 'RECORD_UNDELIVERABLE';
  readonly text: string;
}

/** What a caretaker finds. `recreatedBy`: the dead invocation's record that gave a recreated topic away; progress is afresh. */
export type CaretakerClaim = Pick<ClaimDecision<RecordIdentity>, 'progress' | 'recreatedBy' | 'interrupted'>;

/** A claim of the relay or of an operator: what dead invocations left behind is pending, nothing of its own is. */
export function decideCaretakerClaim(
  item: PartitionItem,
  owner: string,
  now: EpochMs,
  policy: ClaimPolicy,
): CaretakerClaim {
  return decideClaim<RecordIdentity>(item, owner, [], now, policy);
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

/**
 * Whether nobody can tell if the record was handled: the ledger's memory no longer reaches back to it, and it has neither a head
 * nor is it owed. Its letter says so, and a redrive leaves it out unless told otherwise.
 */
export function isDoubtful({ pending, floor = 0, heads }: Progress, offset: Offset): boolean {
  return offset < floor && !includesOffset(pending, offset) && !heads.has(offset);
}

/**
 * The head under which a record gets its letter: its tries so far, and why it is given up on where nothing of its own says so.
 * Marked, so that it never meets its handler again.
 */
export function exhaustedHead(progress: Progress, record: RecordIdentity, cause: RelayCause, now: EpochMs): Head {
  const head = headOf(progress, record);
  const error: ErrorSummary = { name: cause.code, text: cause.text, stage: 'unattempted' };
  return {
    ...head,
    exhausted: true,
    firstFailedAt: head.firstFailedAt ?? now,
    ...(head.error === undefined && head.interruptions === 0 && { error, fingerprint: fingerprint(error) }),
  };
}

/** Progress with these heads marked. */
export function withHeads(progress: Progress, heads: readonly Head[]): Progress {
  return heads.reduce(withHead, progress);
}

/** How many more records may be marked: the flood breaker and the item's room limit them. */
export function roomForLetters(progress: Progress): number {
  const marked = [...progress.heads.values()].filter(({ exhausted }) => exhausted).length;
  const untilBreaker = letterLimit(progress) - progress.consecutiveDeadLetters - marked;
  return Math.max(0, Math.min(untilBreaker, MAX_HEADS - progress.heads.size));
}

/** Offsets at which Kafka holds nothing any more, or never did: nobody has to wait for them. The gate opens. */
export function withoutAbsent(progress: Progress, absent: OffsetRanges): Progress {
  if (absent.length === 0) return progress;
  const heads = new Map([...progress.heads].filter(([offset]) => !includesOffset(absent, offset)));
  return openGate({ ...progress, pending: subtract(progress.pending, absent), heads });
}

/** The gate waits only for what is pending. */
export function openGate(progress: Progress): Progress {
  const { gate, ...ungated } = progress;
  return gate === undefined || includesOffset(progress.pending, gate.offset) ? progress : ungated;
}

/** When the oldest head first failed; `undefined` where nothing blocks. */
export function blockedSince({ heads }: Progress): EpochMs | undefined {
  const times = [...heads.values()].flatMap(({ firstFailedAt }) => firstFailedAt ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * What the mapping has lost for good: pending, or a dead invocation's, below what the group has committed, and not claimed by
 * anybody for `headGateMs`. The rest the mapping still owes.
 *
 * @param committed - the group's committed offset: the next one that the mapping would read
 */
export function lostForGood(item: PartitionItem, committed: Offset, now: EpochMs, headGateMs: number): OffsetRanges {
  if (now - item.leaseUntil < headGateMs) return [];
  const { settled, pending } = item.progress;
  const claimed = item.claims.reduce((all, { offsets }) => union(all, offsets), [] as OffsetRanges);
  const dead = subtract(claimed, forgotten(claimed, item.progress));
  const owed = subtract(union(pending, dead), settled);
  return below(owed, committed);
}
