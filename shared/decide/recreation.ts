import { highest, includesOffset, type OffsetRanges, rangesOf, union } from '../record/offset-ranges.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import { differInValue } from '../record/value-hash.ts';
import { isNewerThan, newestOf } from './newest-time.ts';
import { marksAmong, withGoneMarks } from './parking.ts';
import type { Progress, RecordIdentity } from './progress.ts';
import { resetCounts } from './retry-policy.ts';

/*
 * A topic that is deleted and made anew has other records under the same offsets. Its events do not say so: Lambda names topic,
 * partition and offset only, so what stands at a known offset is compared with what is remembered of it. docs/architecture.md.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html#msk-sample-event
 */

/** Whether another record stands at this offset than the one that we know. */
export function isAnotherRecord(progress: Progress, record: RecordIdentity): boolean {
  if (isNewerThan(record.timestamp, progress.newestTimestamp) && includesOffset(progress.settled, record.offset))
    return true;
  return isKnownAs(progress, record.offset, (known) => known.timestamp !== record.timestamp);
}

/**
 * Whether nobody can tell if this is the record that we know: it has its time and another value, in the same form. Either whatever
 * delivers the records has changed their form unseen, or the topic was recreated and refilled with the old timestamps.
 */
export function isUnclear(progress: Progress, record: RecordIdentity): boolean {
  return isKnownAs(
    progress,
    record.offset,
    (known) => known.timestamp === record.timestamp && differInValue(known.valueHash, record.valueHash),
  );
}

/** Whether something that is remembered of an offset is so. In key order a batch is marked before its first record settles. */
function isKnownAs(
  { firstRecords, blockedRecords }: Progress,
  offset: Offset,
  is: (known: RecordIdentity) => boolean,
): boolean {
  const blocked = blockedRecords.get(offset);
  return (blocked !== undefined && is(blocked)) || firstRecords.some((mark) => mark.offset === offset && is(mark));
}

/**
 * Whether a record from before memory, which would be skipped, is newer than all that ever settled: it cannot have run.
 *
 * @see isAnotherRecord for what is within memory
 */
export function isNewBeforeMemory(progress: Progress, { offset, timestamp }: RecordIdentity): boolean {
  const { floor = 0, pending, newestTimestamp } = progress;
  return offset < floor && isNewerThan(timestamp, newestTimestamp) && !includesOffset(pending, offset);
}

/** Whether a record that nobody owes lies below what is settled, and is newer than all of it: an operator is asked, or it is of a later topic. */
export function isNewBelowSettled(progress: Progress, { offset, timestamp }: RecordIdentity): boolean {
  const { settled, pending, newestTimestamp } = progress;
  const isBelow = offset < (highest(settled) ?? 0) && !includesOffset(pending, offset);
  return isBelow && isNewerThan(timestamp, newestTimestamp);
}

/** Whether a record stands where an operator let a replay run, owed or not, and is newer than all that ever settled: no replay has that. */
export function isNewInReplay(progress: Progress, { offset, timestamp }: RecordIdentity): boolean {
  const { floor = 0, runBelow = 0, newestTimestamp } = progress;
  return offset < Math.min(floor, runBelow) && isNewerThan(timestamp, newestTimestamp);
}

/** Where the mapping decodes values, the relay, which reads the broker's bytes, cannot know the hash of what is delivered. */
function isSame(known: RecordIdentity, record: RecordIdentity): boolean {
  return known.timestamp === record.timestamp && !differInValue(known.valueHash, record.valueHash);
}

/**
 * Progress of a recreated topic. What is pending, what a replay halt refused, and what dead invocations had claimed, settled in
 * the old life or not, may be of the new one, first seen by somebody who did not live to write that down, or could not tell: it
 * is waited for. What of it is not there vanishes with the batch that spans it. What was left to the relay may be of the new life, too.
 *
 * @param records - the delivered batch: what is remembered of exactly these was of the new life already, and stays
 */
export function restartProgress(
  known: Progress,
  claimedByDead: OffsetRanges,
  records: readonly RecordIdentity[],
): Progress {
  const { pending, replayRefused, firstRecords, blockedRecords, settled, abandoned } = known;
  const isOneOfThem = (one: RecordIdentity) =>
    records.some((record) => record.offset === one.offset && isSame(one, record));
  const seen = firstRecords.filter((mark) => isOneOfThem(mark));
  const done = seen.filter(({ offset }) => includesOffset(settled, offset));
  const newestTimestamp = done.reduce<EpochMs | undefined>(
    (newest, mark) => newestOf(newest, mark.timestamp),
    undefined,
  );
  const isolateUntil = highest(claimedByDead);
  const gone = marksAmong(blockedRecords.values()).filter((mark) => !isOneOfThem(mark));
  return {
    ...resetCounts(withGoneMarks(known, gone)),
    settled: rangesOf(done.map(({ offset }) => offset)),
    pending: union(union(pending, replayRefused), claimedByDead),
    ...(abandoned !== undefined && { abandoned }),
    firstRecords: seen,
    blockedRecords: new Map([...blockedRecords].filter(([, blocked]) => isOneOfThem(blocked))),
    ...(newestTimestamp !== undefined && { newestTimestamp }),
    ...(isolateUntil !== undefined && { isolateUntil }),
  };
}
