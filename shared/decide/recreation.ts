import { highest, includesOffset, type OffsetRanges, rangesOf, union } from '../record/offset-ranges.ts';
import type { Progress, RecordIdentity } from './progress.ts';
import { resetCounts } from './retry-policy.ts';

/*
 * A topic that is deleted and made anew has other records under the same offsets. Its events do not say so: Lambda names topic,
 * partition and offset only, so what stands at a known offset is compared with what is remembered of it. DESIGN section 5.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html#msk-sample-event
 */

/** Whether another record stands at this offset than the one that we know. */
export function isAnotherRecord(progress: Progress, record: RecordIdentity): boolean {
  const { settled, newestTimestamp = Number.POSITIVE_INFINITY, firstRecords, blockedRecords } = progress;
  const { offset, timestamp } = record;
  if (timestamp > newestTimestamp && includesOffset(settled, offset)) return true;
  // In key order a batch is marked before its first record settles.
  const mark = firstRecords.find((candidate) => candidate.offset === offset);
  if (mark !== undefined && differs(mark, record)) return true;
  const blocked = blockedRecords.get(offset);
  return blocked !== undefined && differs(blocked, record);
}

/** Where the mapping decodes values, the relay, which reads the broker's bytes, cannot know the hash of what is delivered. */
function differs(known: RecordIdentity, record: RecordIdentity): boolean {
  return known.timestamp !== record.timestamp || (known.valueHash !== '' && known.valueHash !== record.valueHash);
}

/**
 * Progress of a recreated topic. What is pending, what a replay halt refused, and what dead invocations had claimed, settled in
 * the old life or not, may be of the new one, first seen by somebody who did not live to write that down, or could not tell: it
 * is waited for. What of it is not there vanishes with the batch that spans it.
 *
 * @param records - the delivered batch: what is remembered of exactly these was of the new life already, and stays
 */
export function restartProgress(
  known: Progress,
  claimedByDead: OffsetRanges,
  records: readonly RecordIdentity[],
): Progress {
  const { pending, replayRefused, firstRecords, blockedRecords, settled } = known;
  const isOneOfThem = (one: RecordIdentity) =>
    records.some((record) => record.offset === one.offset && !differs(one, record));
  const seen = firstRecords.filter((mark) => isOneOfThem(mark));
  const done = seen.filter(({ offset }) => includesOffset(settled, offset));
  const isolateUntil = highest(claimedByDead);
  return {
    ...resetCounts(known),
    settled: rangesOf(done.map(({ offset }) => offset)),
    pending: union(union(pending, replayRefused), claimedByDead),
    firstRecords: seen,
    blockedRecords: new Map([...blockedRecords].filter(([, blocked]) => isOneOfThem(blocked))),
    ...(done.length > 0 && { newestTimestamp: Math.max(...done.map(({ timestamp }) => timestamp)) }),
    ...(isolateUntil !== undefined && { isolateUntil }),
  };
}
