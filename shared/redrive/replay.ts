import { textHeader } from '../decide/letter-headers.ts';
import { recordBytes } from '../decide/record-size.ts';
import { claimsToBeReturned, readReturned, returningHeaders } from '../decide/returned-record.ts';
import type { OriginalRecordAt } from '../ports/original-reader.ts';
import type { TopicLog } from '../ports/topic-log.ts';
import type { TransactionRecord, Transactions } from '../ports/transactions.ts';
import { positionName, type TopicPartition } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';

/** On a copy of a record that an operator replayed: where the record is. */
export const REPLAY_HEADER = 'x-replay-of';
/** One call reads at most this many records, and writes all copies or none. */
const MOST_RECORDS = 1_000;
const MOST_BYTES = 512 * 1024;

/** A range of the source topic. */
export interface ReplayOrder {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  /** Only counts. */
  readonly dryRun: boolean;
  /** The group for which the copies are. */
  readonly group: string;
}

/**
 * Writes copies of records to the end of their own partition, in order, all copies of a call or none. The consumer handles them
 * as new records: completed idempotency keys make them duplicates, `byPosition` does not. Lockstep consumers of other groups
 * settle them without handling them.
 *
 * @returns how many, and where the next call goes on; no `next` when the range is done
 */
export async function replay(
  { topic, partition, fromOffset, toOffset, dryRun, group }: ReplayOrder,
  {
    log,
    transactions,
    secret,
    giveUpAt,
  }: { log: TopicLog; transactions: Transactions; secret: Buffer; giveUpAt: EpochMs },
): Promise<{ readonly records: number; readonly next?: number }> {
  const records: TransactionRecord[] = [];
  let bytes = 0;
  let next = fromOffset;
  reading: while (next <= toOffset) {
    const slice = await log.readRange({ topic, partition }, { from: next, to: toOffset }, giveUpAt);
    for (const found of slice.records) {
      bytes += recordBytes(found.record);
      if (records.length >= MOST_RECORDS || (records.length > 0 && bytes > MOST_BYTES)) {
        next = found.offset;
        break reading;
      }
      records.push(copyOf({ topic, partition }, found, group, secret));
    }
    next = slice.next;
  }
  if (!dryRun && records.length > 0) {
    await transactions.takeOver();
    await transactions.commit(records);
  }
  return { records: records.length, ...(next <= toOffset && { next }) };
}

/** A copy says where the record was first, even if that record was itself written back by Lockstep. */
function copyOf(
  place: TopicPartition,
  { offset, record }: OriginalRecordAt,
  group: string,
  secret: Buffer,
): TransactionRecord {
  const isClaimed = claimsToBeReturned(record.headers.at(-1)?.name);
  const returned = isClaimed ? readReturned(secret, { ...place, ...record }) : undefined;
  const { key, value, timestamp } = record;
  const headers = returningHeaders(secret, {
    to: place,
    key,
    value,
    headers: returned?.own ?? record.headers,
    origin: returned?.origin ?? { ...place, offset, timestamp },
    group,
    redriveCount: returned?.redriveCount ?? 0,
    from: textHeader(REPLAY_HEADER, positionName({ ...place, offset })),
  });
  return { ...place, key, value, headers, timestamp };
}
