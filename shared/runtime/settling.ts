import type { Settling } from '../decide/settle.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Offset } from '../record/units.ts';

/** Says what settles with a record: {@link Settling}. */
export type SettlingOf = (record: DeliveredRecord, outcome: Settling['outcome']) => Settling;

/**
 * How the records of a batch settle.
 *
 * @param records - of the batch, in offset order
 * @param open - those that are not settled yet
 */
export function settlingIn(records: readonly DeliveredRecord[], open: readonly DeliveredRecord[]): SettlingOf {
  const [first] = records;
  const firstOfBatch = first !== undefined && first === open[0] && first;
  const from = firstOffsets(records);
  return (record, outcome) => ({ record, from: from?.get(record.offset) ?? record.offset, firstOfBatch, outcome });
}

/**
 * The first offset that each record settles, in a batch with gaps. Offsets that are absent inside a batch do not exist
 * (compaction, transaction markers).
 */
function firstOffsets(records: readonly DeliveredRecord[]): ReadonlyMap<Offset, Offset> | undefined {
  const first = records[0]?.offset ?? 0;
  const last = records.at(-1)?.offset ?? -1;
  if (last - first + 1 === records.length) return undefined;
  const from = new Map<Offset, Offset>();
  let previous: Offset | undefined;
  for (const { offset } of records) {
    from.set(offset, previous === undefined ? offset : previous + 1);
    previous = offset;
  }
  return from;
}
