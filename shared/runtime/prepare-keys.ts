import { decideStart, isBreakerOpen } from '../decide/retry-policy.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { ledgerKey } from '../record/item-identifier.ts';
import { type DecodedRecord, decodeRecord } from './decode-record.ts';
import { comparedHash, idempotencyKeyText } from './idempotency-key-text.ts';
import { IdempotencyKeys, type KeyedValue } from './idempotency-keys.ts';
import { KeyClaims } from './key-claims.ts';
import type { PartitionRun } from './partition-run.ts';

/**
 * Claims the idempotency keys of the open records, all at once, except for records in crash isolation. A record without a value
 * or a key fails when its turn comes. An exhausted record needs no key.
 */
export async function prepareKeys<V>(run: PartitionRun<V>): Promise<IdempotencyKeys | undefined> {
  const { consumer, ports, lease, invocation, open, partition, decoded } = run;
  const { idempotencyKey, policy } = consumer;
  if (idempotencyKey === undefined) return undefined;
  const holder = { ledgerKey: ledgerKey(partition), epoch: lease.epoch };
  const claims = new KeyClaims(holder, ports, policy, invocation.plan.abortAt, () => lease.lapses);
  const secret = policy.hashKeysWithSecret ? await ports.secret() : undefined;
  const keys = new IdempotencyKeys(claims, policy.keyNamespace, secret);
  if (isBlocked(run, open[0])) return keys;
  const { isolateUntil = -1 } = lease.progress;
  const keyed: KeyedValue[] = [];
  for (const record of open) {
    if (record.offset <= isolateUntil || lease.progress.blockedRecords.get(record.offset)?.exhausted) continue;
    if (decoded.has(record.offset) || run.parkedKeys?.isParked(record)) continue;
    // For each record, as in onceKnown: nearly every value is known at once.
    const read = decodeRecord(consumer, record);
    const value = keyedValue(run, record, read instanceof Promise ? await read : read);
    if (value !== undefined) keyed.push(value);
  }
  await keys.prepare(keyed);
  return keys;
}

/** Keeps a value that was decoded before its record's turn, and calls `idempotencyKey`; `undefined` where there is no key. */
export function keyedValue<V>(
  { consumer: { idempotencyKey, compare }, decoded: known }: PartitionRun<V>,
  record: DeliveredRecord,
  decoded: DecodedRecord<V>,
): KeyedValue | undefined {
  known.set(record.offset, decoded);
  if (decoded.type !== 'decoded' || idempotencyKey === undefined) return undefined;
  try {
    return {
      record,
      idempotencyKey: idempotencyKeyText(idempotencyKey(decoded.record), record.position),
      contentHash: compare === undefined ? record.valueHash : comparedHash(compare(decoded.record), record.position),
    };
  } catch (error) {
    known.set(record.offset, { type: 'keyless', error });
    return undefined;
  }
}

/** In partition order nothing runs while the first record backs off. Then no key is worth a request. */
function isBlocked<V>({ consumer, lease, ports }: PartitionRun<V>, first: DeliveredRecord | undefined): boolean {
  const { order, retry } = consumer.policy;
  if (order !== 'partition' || first === undefined) return false;
  const { blockedRecords, consecutiveDeadLetters } = lease.progress;
  return (
    decideStart(
      blockedRecords.get(first.offset),
      retry,
      isBreakerOpen(consecutiveDeadLetters, retry),
      ports.clock.now(),
    ).type === 'backOff'
  );
}
