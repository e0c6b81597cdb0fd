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

/** How many batches stay recognisable: the ledger keeps their settled ranges and first records. */
export const REMEMBERED_BATCHES = 64;

/** Settled ranges that fit the item with room to spare (DynamoDB: 400 KB). Past this limit no new record starts. */
export const MAX_RANGES = 1_000;
export const MAX_BLOCKED_RECORDS = 200;

/** Ranges of pending offsets: enough for a batch of 10,000 records of which no two are neighbours. */
export const MAX_PENDING_RANGES = 12_000;
/** Ranges of offsets that a replay halt refused. */
export const MAX_REFUSED_RANGES = 1_000;
/** Ranges of offsets that are left to the relay. */
const MAX_ABANDONED_RANGES = 1_000;

/** A record that needs no more work, with the offsets that are settled along with it. */
export interface Settling {
  readonly record: Pick<RecordIdentity, 'offset' | 'timestamp'>;
  /**
   * The first offset that settles with the record: one past the record before it in the batch. Offsets that are absent inside a
   * delivered batch do not exist (compaction, transaction markers). For the first record of a batch it is the record's own
   * offset.
   */
  readonly from: Offset;
  /**
   * The first record of the batch, given with the first record of the batch that settles. In key order that may be another one:
   * records that ran ahead must be recognisable too.
   */
  readonly firstOfBatch: RecordIdentity | false;
  /** `handled` closes the flood breaker, `deadLettered` counts for it, the others change nothing. */
  readonly outcome: 'handled' | 'duplicate' | 'deadLettered' | 'parked';
}

/** Progress with one more record settled. */
export function settle(progress: Progress, settling: Settling): Progress {
  return settleAll(progress, [settling]);
}

/** Progress with these records settled, one after the other. It is copied once, however many there are. */
export function settleAll(progress: Progress, settlings: readonly Settling[]): Progress {
  const [first] = settlings;
  if (first === undefined) return progress;
  const ranges = settledBy(settlings);
  let { newestTimestamp = first.record.timestamp, firstRecords, consecutiveDeadLetters } = progress;
  let last: Settling['firstOfBatch'] = false;
  for (const { record, firstOfBatch, outcome } of settlings) {
    newestTimestamp = newestOf(newestTimestamp, record.timestamp);
    if (firstOfBatch !== false && firstOfBatch !== last) firstRecords = withFirstRecord(firstRecords, firstOfBatch);
    last = firstOfBatch;
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

/** Leaves these offsets to the relay. The partition does not wait for them any more. */
export function abandon(progress: Progress, offsets: OffsetRanges): Progress {
  const { abandoned = [], pending, settled } = progress;
  return {
    ...progress,
    pending: subtract(pending, offsets),
    abandoned: withBatch(abandoned, offsets, MAX_ABANDONED_RANGES, settled),
  };
}

/** These offsets are not left to the relay any more. */
export function withoutAbandoned({ abandoned, ...progress }: Progress, offsets: OffsetRanges): Progress {
  if (abandoned === undefined) return progress;
  const left = subtract(abandoned, offsets);
  return left.length === 0 ? progress : { ...progress, abandoned: left };
}

/** The offsets that these records settle. */
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
 * Whether the item has no room for one more blocked record or range. Then no new record starts, and nothing is forgotten.
 *
 * @param moreRanges - settled ranges that will be added
 */
export function isFull({ settled, blockedRecords }: Progress, moreRanges = 0): boolean {
  return settled.length + moreRanges >= MAX_RANGES || blockedRecords.size >= MAX_BLOCKED_RECORDS;
}

/**
 * `known` with the offsets of one batch, in about `most` ranges or fewer.
 *
 * The offsets are kept exactly while there is room. Then the batch becomes one span from its first to its last offset: offsets
 * that do not exist in it are removed when the batch comes back. If that is still too much, everything above becomes one span.
 * The partition may then wait for an offset that does not exist; it is given up like a lost one. An offset that must come back
 * is never left out.
 *
 * @param but - offsets that must not be in the result
 */
export function withBatch(known: OffsetRanges, batch: OffsetRanges, most: number, but: OffsetRanges): OffsetRanges {
  const exact = subtract(union(known, batch), but);
  if (exact.length <= most) return exact;
  const spanned = subtract(union(known, spanOf(batch)), but);
  return subtract(union(spanned, spanOf(spanned.slice(most - 1))), but);
}

function spanOf(ranges: OffsetRanges): OffsetRanges {
  const [first] = ranges;
  return first === undefined ? ranges : [{ from: first.from, to: highest(ranges) ?? first.to }];
}

/**
 * Progress as it is written: the oldest settled ranges are forgotten, whole batches at a time, and `floor` is raised to the end
 * of what was forgotten. `floor` stays at or below the first record of the last 64 batches and of our own batch, and the lowest
 * offset that must come back. So everything that ran ahead of a blocked record stays known.
 *
 * @param batchStart - first delivered offset of our own batch
 * @param toRedeliver - what of our own batch is not settled
 */
export function forget(progress: Progress, batchStart: Offset, toRedeliver: OffsetRanges): Progress {
  const firstRecords =
    progress.firstRecords.length > REMEMBERED_BATCHES
      ? progress.firstRecords.slice(-REMEMBERED_BATCHES)
      : progress.firstRecords;
  const oldestFirstRecord = progress.firstRecords[0]?.offset ?? Number.POSITIVE_INFINITY;
  const keepFrom = Math.min(
    oldestFirstRecord,
    batchStart,
    lowest(progress.pending) ?? batchStart,
    lowest(toRedeliver) ?? batchStart,
  );
  let { settled, floor } = progress;
  const oldest = settled.slice(0, -REMEMBERED_BATCHES).filter(({ to }) => to < keepFrom);
  if (oldest.length > 0) {
    floor = Math.max(floor ?? 0, (highest(oldest) ?? 0) + 1);
    settled = settled.slice(oldest.length);
  }
  if (firstRecords.length >= REMEMBERED_BATCHES) {
    // Offsets without a first record cannot be recognised, so they are forgotten: a recreated topic would find them settled.
    const unrecognisable = below(settled, keepFrom);
    if (unrecognisable.length > 0) {
      floor = Math.max(floor ?? 0, (highest(unrecognisable) ?? 0) + 1);
      settled = atOrAbove(settled, keepFrom);
    }
  }
  if (settled === progress.settled && firstRecords === progress.firstRecords) return progress;
  return { ...ending(progress, floor), settled, firstRecords, ...(floor !== undefined && { floor }) };
}

/**
 * Ends an operator's decision to run forgotten offsets again, for offsets that are forgotten now: they were settled under that
 * decision.
 */
function ending(progress: Progress, floor: Offset | undefined): Progress {
  const { runBelow, ...rest } = progress;
  const before = progress.floor ?? 0;
  if (runBelow === undefined || (floor ?? 0) <= before) return progress;
  return before === 0 ? rest : { ...rest, runBelow: Math.min(runBelow, before) };
}

/** What is pending once our invocation has ended: what was pending before, and what is not settled of `toRedeliver`. */
export function pendingAfter(progress: Progress, toRedeliver: OffsetRanges): OffsetRanges {
  return withBatch(progress.pending, toRedeliver, MAX_PENDING_RANGES, progress.settled);
}

/** Crash isolation ends when every record up to its end is settled. */
export function endIsolation(progress: Progress, toRedeliver: OffsetRanges): Progress {
  if (progress.isolateUntil === undefined) return progress;
  const { isolateUntil, ...rest } = progress;
  const next = lowest(pendingAfter(progress, toRedeliver)) ?? Number.POSITIVE_INFINITY;
  return next <= isolateUntil ? progress : rest;
}
