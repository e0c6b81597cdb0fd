import {
  atOrAbove,
  below,
  highest,
  includesOffset,
  lowest,
  type OffsetRanges,
  subtract,
  union,
} from '../record/offset-ranges.ts';
import type { Offset } from '../record/units.ts';
import { newestOf } from './newest-time.ts';
import type { BlockedRecord, FirstRecord, Progress, RecordIdentity } from './progress.ts';

/** Batches that stay recognisable: their settled ranges and first records are kept. */
export const REMEMBERED_BATCHES = 64;

/** Settled ranges, and blocked records, that fit the item with room to spare (DynamoDB: 400 KB). Past it nothing new starts. */
export const MAX_RANGES = 1_000;
export const MAX_HEADS = 200;

/** Ranges of what must come back: those of a whole batch of 10,000 records of which no two are neighbours, and some more. */
export const MAX_PENDING_RANGES = 12_000;
/** Ranges of what a replay halt refused. */
export const MAX_REFUSED_RANGES = 1_000;
/** Ranges of what is left to the relay. */
const MAX_ABANDONED_RANGES = 1_000;

/** A record that needs no more work, with the offsets that are settled along with it. */
export interface Settling {
  readonly record: RecordIdentity;
  /**
   * First offset that is settled with it: one past its predecessor in the batch, since what is absent within one delivered
   * batch does not exist (compaction, transaction markers); its own offset for the first of a batch.
   */
  readonly from: Offset;
  /**
   * The first record of its batch, remembered as a mark with the first of the batch that settles, which in key order may be
   * another: what ran ahead must be recognisable too.
   */
  readonly mark: RecordIdentity | false;
  /** `handled` closes the flood breaker, `deadLettered` counts for it, the others leave it. */
  readonly outcome: 'handled' | 'duplicate' | 'deadLettered' | 'parked';
}

/** Progress with one more record settled. */
export function settle(progress: Progress, settling: Settling): Progress {
  return settleAll(progress, [settling]);
}

/** Progress with these settled, one after the other; it is copied once, however many they are. */
export function settleAll(progress: Progress, settlings: readonly Settling[]): Progress {
  const [first] = settlings;
  if (first === undefined) return progress;
  const ranges = settledBy(settlings);
  let { newestTimestamp = first.record.timestamp, firstRecords, consecutiveDeadLetters } = progress;
  let marked: Settling['mark'] = false;
  for (const { record, mark, outcome } of settlings) {
    newestTimestamp = newestOf(newestTimestamp, record.timestamp);
    if (mark !== false && mark !== marked) firstRecords = withFirstRecord(firstRecords, mark);
    marked = mark;
    consecutiveDeadLetters = afterSettling(consecutiveDeadLetters, outcome);
  }
  const { settled, pending, replayRefused, blockedRecords } = progress;
  return {
    ...withoutAbandoned(progress, ranges),
    settled: union(settled, ranges),
    pending: subtract(pending, ranges),
    replayRefused: subtract(replayRefused, ranges),
    blockedRecords:
      blockedRecords.size === 0
        ? blockedRecords
        : new Map([...blockedRecords].filter(([offset]) => !includesOffset(ranges, offset))),
    newestTimestamp,
    firstRecords,
    consecutiveDeadLetters,
  };
}

/** Progress that leaves these offsets to the relay instead of waiting for them. */
export function abandon(progress: Progress, offsets: OffsetRanges): Progress {
  const { abandoned = [], pending, settled } = progress;
  return {
    ...progress,
    pending: subtract(pending, offsets),
    abandoned: withBatch(abandoned, offsets, MAX_ABANDONED_RANGES, settled),
  };
}

/** Nothing of these is left to the relay any more. */
export function withoutAbandoned({ abandoned, ...progress }: Progress, offsets: OffsetRanges): Progress {
  if (abandoned === undefined) return progress;
  const left = subtract(abandoned, offsets);
  return left.length === 0 ? progress : { ...progress, abandoned: left };
}

/** The offsets that are settled by these. */
export function settledBy(settlings: readonly Settling[]): OffsetRanges {
  const ranges: { from: Offset; to: Offset }[] = [];
  // Nearly always in order already.
  for (const { from, record } of settlings.toSorted((a, b) => a.from - b.from)) {
    const last = ranges.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, record.offset);
    else ranges.push({ from, to: record.offset });
  }
  return ranges;
}

function afterSettling(consecutiveDeadLetters: number, outcome: Settling['outcome']): number {
  if (outcome === 'deadLettered') return consecutiveDeadLetters + 1;
  return outcome === 'handled' ? 0 : consecutiveDeadLetters;
}

function withFirstRecord(
  firstRecords: readonly FirstRecord[],
  { offset, timestamp, valueHash }: RecordIdentity,
): readonly FirstRecord[] {
  const known = firstRecords.findLast((other) => other.offset === offset);
  if (known !== undefined && known.timestamp === timestamp && known.valueHash === valueHash) return firstRecords;
  const others = firstRecords.filter((other) => other.offset !== offset);
  return [...others, { offset, timestamp, valueHash }].sort((a, b) => a.offset - b.offset);
}

/** Progress with `blocked` remembered. */
export function withBlockedRecord(progress: Progress, blocked: BlockedRecord): Progress {
  return { ...progress, blockedRecords: new Map(progress.blockedRecords).set(blocked.offset, blocked) };
}

/** The blocked record at `record`, or a new one without tries. */
export function blockedRecordOf(progress: Progress, record: RecordIdentity): BlockedRecord {
  const { offset, timestamp, valueHash } = record;
  return (
    progress.blockedRecords.get(offset) ?? {
      offset,
      timestamp,
      valueHash,
      attempts: 0,
      interruptions: 0,
      exhausted: false,
    }
  );
}

/**
 * Whether the item has no room for one more blocked record or range: then nothing new starts, and nothing is forgotten.
 *
 * @param moreRanges - settled ranges that will be added
 */
export function isFull({ settled, blockedRecords }: Progress, moreRanges = 0): boolean {
  return settled.length + moreRanges >= MAX_RANGES || blockedRecords.size >= MAX_HEADS;
}

/**
 * `known` with the offsets of one batch, in at most about `most` ranges.
 *
 * Exactly, as long as there is room. Then the batch becomes one span from its first offset to its last: what is absent between
 * them vanishes when the batch comes back, as what compaction took does. At last everything above becomes one span. An offset that
 * does not exist may then be waited for, where batches come back in other cuts; it is given up like a lost one. Nothing that must
 * come back is ever left out.
 *
 * @param but - what is not to be in it
 */
export function withBatch(known: OffsetRanges, batch: OffsetRanges, most: number, but: OffsetRanges): OffsetRanges {
  const exact = subtract(union(known, batch), but);
  if (exact.length <= most) return exact;
  const spanned = subtract(union(known, spanOf(batch)), but);
  if (spanned.length <= most) return spanned;
  return subtract(union(spanned.slice(0, most - 1), spanOf(spanned.slice(most - 1))), but);
}

function spanOf(ranges: OffsetRanges): OffsetRanges {
  const from = lowest(ranges);
  const to = highest(ranges);
  return from === undefined || to === undefined ? ranges : [{ from, to }];
}

/**
 * Progress as it is written: the oldest settled ranges forgotten, whole batches at a time, and `floor` raised to the end of
 * what was forgotten. Never at or above the first record of the last 64 batches, of our own batch, or the lowest offset that
 * must come back: what ran ahead of a blocked record stays known, however much it is.
 *
 * @param batchStart - first delivered offset of our own batch
 * @param mustReturn - what of our own batch is not settled
 */
export function forget(progress: Progress, batchStart: Offset, mustReturn: OffsetRanges): Progress {
  const firstRecords =
    progress.firstRecords.length > REMEMBERED_BATCHES
      ? progress.firstRecords.slice(-REMEMBERED_BATCHES)
      : progress.firstRecords;
  const oldestFirstRecord = progress.firstRecords[0]?.offset ?? Number.POSITIVE_INFINITY;
  const keepFrom = Math.min(
    oldestFirstRecord,
    batchStart,
    lowest(progress.pending) ?? batchStart,
    lowest(mustReturn) ?? batchStart,
  );
  let { settled, floor } = progress;
  const oldest = settled.slice(0, -REMEMBERED_BATCHES).filter(({ to }) => to < keepFrom);
  if (oldest.length > 0) {
    floor = Math.max(floor ?? 0, (highest(oldest) ?? 0) + 1);
    settled = settled.slice(oldest.length);
  }
  if (firstRecords.length >= REMEMBERED_BATCHES) {
    // Memory must not reach back beyond what can be recognised: a recreated topic would find settled offsets without a mark.
    const unrecognisable = below(settled, keepFrom);
    if (unrecognisable.length > 0) {
      floor = Math.max(floor ?? 0, (highest(unrecognisable) ?? 0) + 1);
      settled = atOrAbove(settled, keepFrom);
    }
  }
  if (settled === progress.settled && firstRecords === progress.firstRecords) return progress;
  return { ...ending(progress, floor), settled, firstRecords, ...(floor !== undefined && { floor }) };
}

/** An operator let run again what was before memory then: what joins it now was settled under that word, and is not meant. */
function ending(progress: Progress, floor: Offset | undefined): Progress {
  const { runBelow, ...rest } = progress;
  const before = progress.floor ?? 0;
  if (runBelow === undefined || (floor ?? 0) <= before || runBelow <= before) return progress;
  return before === 0 ? rest : { ...rest, runBelow: before };
}

/** What must come back once the invocation that owes `mustReturn` has ended, besides what was pending already. */
export function pendingAfter(progress: Progress, mustReturn: OffsetRanges): OffsetRanges {
  return withBatch(progress.pending, mustReturn, MAX_PENDING_RANGES, progress.settled);
}

/** Crash isolation ends when nothing at or below its end is left to run. */
export function endIsolation(progress: Progress, mustReturn: OffsetRanges): Progress {
  if (progress.isolateUntil === undefined) return progress;
  const { isolateUntil, ...rest } = progress;
  const next = lowest(pendingAfter(progress, mustReturn)) ?? Number.POSITIVE_INFINITY;
  return next <= isolateUntil ? progress : rest;
}
