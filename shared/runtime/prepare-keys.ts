import { decideStart, isBreakerOpen } from '../decide/retry-policy.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { ledgerKey } from '../record/item-identifier.ts';
import { decodeRecord } from './decode-record.ts';
import { IdempotencyKeys, idempotencyKeyText } from './idempotency-keys.ts';
import type { PartitionRun } from './partition-run.ts';

/**
 * Looks up and claims the idempotency keys of what is open, all at once. Records without a value or a key fail when their turn
 * comes; one that is exhausted needs no key.
 */
export async function prepareKeys<V>(run: PartitionRun<V>): Promise<IdempotencyKeys | undefined> {
  const { consumer, ports, session, invocation, open, partition } = run;
  const { idempotencyKey, policy } = consumer;
  if (idempotencyKey === undefined) return undefined;
  const keys = new IdempotencyKeys(
    { ledgerKey: ledgerKey(partition), epoch: session.epoch },
    ports,
    policy,
    invocation.plan.abortAt,
    () => session.lapses,
  );
  if (isBlocked(run, open[0])) return keys;
  const keyed: { record: DeliveredRecord; idempotencyKey: string }[] = [];
  for (const record of open) {
    const decoding = decodeRecord(consumer, record);
    const decoded = decoding instanceof Promise ? await decoding : decoding;
    run.decoded.set(record.offset, decoded);
    if (decoded.type !== 'decoded' || session.progress.heads.get(record.offset)?.exhausted) continue;
    try {
      keyed.push({ record, idempotencyKey: idempotencyKeyText(idempotencyKey(decoded.record), record.position) });
    } catch (error) {
      run.decoded.set(record.offset, { type: 'keyless', error });
    }
  }
  await keys.prepare(keyed);
  return keys;
}

/** In partition order a head in back-off lets nothing run: then no key is worth a request. */
function isBlocked<V>({ consumer, session, ports }: PartitionRun<V>, first: DeliveredRecord | undefined): boolean {
  const { order, retry } = consumer.policy;
  if (order !== 'partition' || first === undefined) return false;
  const { heads, consecutiveDeadLetters } = session.progress;
  return (
    decideStart(heads.get(first.offset), retry, isBreakerOpen(consecutiveDeadLetters, retry), ports.clock.now())
      .type === 'backOff'
  );
}
