import { textHeader } from '../decide/letter-headers.ts';
import { recordBytes } from '../decide/record-size.ts';
import type { TopicLog } from '../ports/topic-log.ts';
import type { TransactionRecord, Transactions } from '../ports/transactions.ts';
import { positionName } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';

/** On a copy of a record that an operator replayed: where the record is. */
export const REPLAY_HEADER = 'x-replay-of';
/** One call takes so many records, so many bytes of them, and writes all or none. */
const MOST_RECORDS = 1_000;
const MOST_BYTES = 512 * 1024;

/** A span of the source. */
export interface ReplayOrder {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  /** Only counts. */
  readonly dryRun: boolean;
}

/**
 * Writes copies of records to the end of their own partition, in order, all of a call or none. The consumer takes them as new
 * records: idempotency keys that were completed make them duplicates, positions do not.
 *
 * @returns how many, and where the next call goes on; no `next` when the span is done
 */
export async function replay(
  { topic, partition, fromOffset, toOffset, dryRun }: ReplayOrder,
  { log, transactions, giveUpAt }: { log: TopicLog; transactions: Transactions; giveUpAt: EpochMs },
): Promise<{ readonly records: number; readonly next?: number }> {
  const records: TransactionRecord[] = [];
  let bytes = 0;
  let next = fromOffset;
  reading: while (next <= toOffset) {
    const slice = await log.readRange({ topic, partition }, { from: next, to: toOffset }, giveUpAt);
    for (const { offset, record } of slice.records) {
      bytes += recordBytes(record);
      if (records.length >= MOST_RECORDS || (records.length > 0 && bytes > MOST_BYTES)) {
        next = offset;
        break reading;
      }
      const from = textHeader(REPLAY_HEADER, positionName({ topic, partition, offset }));
      const own = record.headers.filter(({ name }) => name !== REPLAY_HEADER);
      records.push({ topic, partition, ...record, headers: [...own, from] });
    }
    next = slice.next;
  }
  if (!dryRun && records.length > 0) {
    await transactions.takeOver();
    await transactions.commit(records);
  }
  return { records: records.length, ...(next <= toOffset && { next }) };
}
