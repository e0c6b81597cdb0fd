import { decideStart, isBreakerOpen } from '../decide/retry-policy.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { ledgerKey } from '../record/item-identifier.ts';
import { decodeRecord } from './decode-record.ts';
import { idempotencyKeyText } from './idempotency-key-text.ts';
import { IdempotencyKeys, type KeyedValue } from './idempotency-keys.ts';
import { KeyClaims } from './key-claims.ts';
import type { DecodedRecord, PartitionRun } from './partition-run.ts';

/**
 * Claims the idempotency keys of what is open, all at once, but for records that crash isolation tries. Records without
 * a value or a key fail when their turn comes; one that is exhausted needs no key.
 */
export async function prepareKeys<V>(run: PartitionRun<V>): Promise<IdempotencyKeys | undefined> {
  const { consumer, ports, session, invocation, open, partition } = run;
  const { idempotencyKey, policy } = consumer;
  if (idempotencyKey === undefined) return undefined;
  const holder = { ledgerKey: ledgerKey(partition), epoch: session.epoch };
  const claims = new KeyClaims(holder, ports, policy, invocation.plan.abortAt, () => session.lapses);
  const keys = new IdempotencyKeys(claims, policy.keyNamespace);
  if (isBlocked(run, open[0])) return keys;
  const { isolateUntil = -1 } = session.progress;
  const keyed: KeyedValue[] = [];
  for (const record of open) {
    if (record.offset <= isolateUntil || session.progress.blockedRecords.get(record.offset)?.exhausted) continue;
    const value = keyedValue(run, record);
    const known = value instanceof Promise ? await value : value;
    if (known !== undefined) keyed.push(known);
  }
  await keys.prepare(keyed);
  return keys;
}

/** Decodes a record and asks for its key; `undefined` where it has none. */
export function keyedValue<V>(
  run: PartitionRun<V>,
  record: DeliveredRecord,
): Promise<KeyedValue | undefined> | KeyedValue | undefined {
  const decoded = decodeRecord(run.consumer, record);
  return decoded instanceof Promise ? decoded.then((value) => keyOf(run, record, value)) : keyOf(run, record, decoded);
}

function keyOf<V>(
  { consumer: { idempotencyKey }, decoded: known }: PartitionRun<V>,
  record: DeliveredRecord,
  decoded: DecodedRecord<V>,
): KeyedValue | undefined {
  known.set(record.offset, decoded);
  if (decoded.type !== 'decoded' || idempotencyKey === undefined) return undefined;
  try {
    return { record, idempotencyKey: idempotencyKeyText(idempotencyKey(decoded.record), record.position) };
  } catch (error) {
    known.set(record.offset, { type: 'keyless', error });
    return undefined;
  }
}

/** In partition order a blocked record in back-off lets nothing run: then no key is worth a request. */
function isBlocked<V>({ consumer, session, ports }: PartitionRun<V>, first: DeliveredRecord | undefined): boolean {
  const { order, retry } = consumer.policy;
  if (order !== 'partition' || first === undefined) return false;
  const { blockedRecords, consecutiveDeadLetters } = session.progress;
  return (
    decideStart(
      blockedRecords.get(first.offset),
      retry,
      isBreakerOpen(consecutiveDeadLetters, retry),
      ports.clock.now(),
    ).type === 'backOff'
  );
}
