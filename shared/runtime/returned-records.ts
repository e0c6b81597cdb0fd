import { claimsToBeReturned, type ReturnedRecord, readReturned } from '../decide/returned-record.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Offset } from '../record/units.ts';
import type { Ports } from './consumer.ts';
import type { Invocation } from './invocation.ts';

/** Records of a batch that Lockstep wrote back to their source, by offset. */
export type ReturnedRecords = ReadonlyMap<Offset, ReturnedRecord>;

const NONE: ReturnedRecords = new Map();

/**
 * Finds the records that a redrive or a replay wrote. Anybody can give a record the same headers, so the signature over Kafka's
 * own bytes decides.
 *
 * @throws StoreError where the secret cannot be read
 * @throws LockstepError ORIGINAL_UNREADABLE, BROKER_UNREACHABLE where the mapping decodes values and the bytes cannot be read
 * back
 */
export function returnedRecords(
  records: readonly DeliveredRecord[],
  ports: Pick<Ports, 'secret' | 'originals'>,
  invocation: Invocation,
): Promise<ReturnedRecords> | ReturnedRecords {
  const claimed = records.filter(({ lastHeaderName }) => claimsToBeReturned(lastHeaderName));
  return claimed.length === 0 ? NONE : verified(claimed, ports, invocation);
}

async function verified(
  records: readonly DeliveredRecord[],
  { secret: ask, originals }: Pick<Ports, 'secret' | 'originals'>,
  { plan }: Invocation,
): Promise<ReturnedRecords> {
  const secret = await ask();
  const found = new Map<Offset, ReturnedRecord>();
  for (const record of records) {
    const { topic, partition, offset } = record;
    const read = await originals?.read({ topic, partition, offset }, plan.stallAt);
    const delivered = { key: record.keyBytes, value: record.valueBytes, headers: [...record.headers] };
    const bytes = read?.type === 'found' ? read.record : delivered;
    const returned = readReturned(secret, { topic, partition, ...bytes });
    if (returned !== undefined) found.set(offset, returned);
  }
  return found;
}
