import { highest, includesOffset, type OffsetRanges, rangesOf, union } from '../record/offset-ranges.ts';
import type { Offset } from '../record/units.ts';
import { differInValue } from '../record/value-hash.ts';
import { isNewerThan, newestAmong } from './newest-time.ts';
import type { Progress, RecordIdentity } from './progress.ts';
import { resetCounts } from './retry-policy.ts';

/*
 * A topic that is deleted and created again has other records at the same offsets. Its events do not say so: Lambda names only
 * topic, partition and offset. So the record at a known offset is compared with what the ledger remembers of it.
 * docs/architecture.md. https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html#msk-sample-event
 */

/** Whether this is another record than the one that the ledger knows at its offset. */
export function isAnotherRecord(progress: Progress, record: RecordIdentity): boolean {
  if (isNewerThan(record.timestamp, progress.newestTimestamp) && includesOffset(progress.settled, record.offset))
    return true;
  return isKnownAs(progress, record.offset, (known) => known.timestamp !== record.timestamp);
}

/**
 * Whether it is not known if this is the record that the ledger knows: it has the same timestamp, and another value in the same
 * form. Either something on the way to Lambda changed the form of the values, or the topic was recreated and filled again with
 * the old timestamps.
 */
export function isUnclear(progress: Progress, record: RecordIdentity): boolean {
  return isKnownAs(
    progress,
    record.offset,
    (known) => known.timestamp === record.timestamp && differInValue(known.valueHash, record.valueHash),
  );
}

/**
 * Whether something that the ledger remembers of an offset fulfils a condition. In key order the first record of a batch is
 * remembered before it settles.
 */
function isKnownAs(
  { firstRecords, blockedRecords }: Progress,
  offset: Offset,
  is: (known: RecordIdentity) => boolean,
): boolean {
  const blocked = blockedRecords.get(offset);
  return (blocked !== undefined && is(blocked)) || firstRecords.some((first) => first.offset === offset && is(first));
}

/**
 * Whether a record at a forgotten offset, which would be skipped, is newer than everything that was ever settled. Then it
 * cannot have been handled.
 *
 * @see isAnotherRecord for offsets that the ledger remembers
 */
export function isNewBeforeMemory(progress: Progress, { offset, timestamp }: RecordIdentity): boolean {
  const { floor = 0, pending, newestTimestamp } = progress;
  return offset < floor && isNewerThan(timestamp, newestTimestamp) && !includesOffset(pending, offset);
}

/**
 * Whether a record that is not pending lies below settled offsets and is newer than all of them. Either an operator is asked,
 * or it belongs to a recreated topic.
 */
export function isNewBelowSettled(progress: Progress, { offset, timestamp }: RecordIdentity): boolean {
  const { settled, pending, newestTimestamp } = progress;
  const isBelow = offset < (highest(settled) ?? 0) && !includesOffset(pending, offset);
  return isBelow && isNewerThan(timestamp, newestTimestamp);
}

/**
 * Whether a record is newer than everything that was ever settled, at an offset where an operator let a replay run. A replay
 * has no such record.
 */
export function isNewInReplay(progress: Progress, { offset, timestamp }: RecordIdentity): boolean {
  const { floor = 0, runBelow = 0, newestTimestamp } = progress;
  return offset < Math.min(floor, runBelow) && isNewerThan(timestamp, newestTimestamp);
}

/** Where the mapping decodes values, the relay cannot know the hash of the delivered value: it reads the broker's bytes. */
function isSame(known: RecordIdentity, record: RecordIdentity): boolean {
  return known.timestamp === record.timestamp && !differInValue(known.valueHash, record.valueHash);
}

/**
 * Progress of a recreated topic. Pending offsets, offsets that a replay halt refused, and offsets that dead invocations had
 * claimed may belong to the new topic, settled in the old one or not: an invocation may have seen them first and died before it
 * wrote that down. The partition waits for them. Those that do not exist are removed with the first batch that spans them.
 * Offsets that were left to the relay may belong to the new topic, too.
 *
 * @param records - the delivered batch. What the ledger remembers of exactly these belongs to the new topic, and stays.
 */
export function restartProgress(
  known: Progress,
  claimedByDead: OffsetRanges,
  records: readonly RecordIdentity[],
): Progress {
  const { pending, replayRefused, firstRecords, blockedRecords, settled, abandoned } = known;
  const isOneOfThem = (one: RecordIdentity) =>
    records.some((record) => record.offset === one.offset && isSame(one, record));
  const seen = firstRecords.filter((first) => isOneOfThem(first));
  const done = seen.filter(({ offset }) => includesOffset(settled, offset));
  const [firstDone] = done;
  const isolateUntil = highest(claimedByDead);
  const present = new Map([...blockedRecords].filter(([, blocked]) => isOneOfThem(blocked)));
  const gone = new Map([...blockedRecords].filter(([offset]) => !present.has(offset)));
  return {
    ...resetCounts({ ...known, blockedRecords: gone }),
    settled: rangesOf(done.map(({ offset }) => offset)),
    pending: union(union(pending, replayRefused), claimedByDead),
    ...(abandoned !== undefined && { abandoned }),
    firstRecords: seen,
    blockedRecords: present,
    ...(firstDone !== undefined && { newestTimestamp: newestAmong(done, firstDone.timestamp) }),
    ...(isolateUntil !== undefined && { isolateUntil }),
  };
}
