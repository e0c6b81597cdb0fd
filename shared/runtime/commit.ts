import { backOffMs } from '../decide/retry-policy.ts';
import { MAX_RECORD_ACTIONS } from '../decide/transact-size.ts';
import { LockstepError, TransactRefusedError } from '../errors.ts';
import type { EffectRefusal } from '../ports/ledger-store.ts';
import type { OutgoingRecord } from '../ports/record-producer.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { CallEnd, HandedOver } from './call-handler.ts';
import type { PartitionRun } from './partition-run.ts';
import { fitsTransaction, type Transaction, transactionSize } from './transaction.ts';

/** The pause for an unreachable broker is drawn as if that many attempts had failed, plus `backOffBaseMs`. */
const UNREACHABLE_BACK_OFF = 2;

/** A call whose handler succeeded. */
type Succeeded = Extract<CallEnd, { readonly type: 'succeeded' }>;

/**
 * Commits a call. First the broker acknowledges the records that it produced. Then its effects are written in one transaction
 * with the settling of its records and of their duplicates.
 *
 * @returns how the call ended instead, if that failed
 */
export async function commit<V>(run: PartitionRun<V>, call: Succeeded): Promise<CallEnd | undefined> {
  const { effects, outgoing } = call.context;
  const { lease, keys, ports } = run;
  const { delivered } = call;
  const transaction: Transaction = {
    settlings: delivered.map((record) => run.settlingOf(record, 'handled')),
    completions: keys === undefined ? [] : delivered.flatMap((record) => keys.completion(record) ?? []),
    effects,
  };
  const size = transactionSize(transaction);
  if (effects.length > 0 && !fitsTransaction(size)) {
    const what = `${nameOf(delivered)} added ${effects.length} actions of ${size.bytes} bytes to context.transact, expected at most ${MAX_RECORD_ACTIONS} actions of 3,500,000 bytes`;
    return { ...failed(call, new LockstepError('TRANSACT_TOO_LARGE', what)), errorClass: 'nonRetryable' };
  }
  const unproduced = outgoing.length === 0 ? undefined : await produce(run, call, outgoing);
  if (unproduced !== undefined) return unproduced;
  if (effects.length === 0) return settle(run, call);
  const written = await lease.commit(transaction);
  if (written.type === 'cancelled') return failed(call, refused(delivered, written.reasons));
  if (written.type === 'lost') return { type: 'notStarted', reason: 'fenced' };
  for (const record of delivered) keys?.handled(record);
  ports.telemetry.count('RecordsHandled', delivered.length);
  settle(run, { delivered: [], duplicates: call.duplicates });
}

/** Counts records as settled. The next checkpoint writes it. */
export function settle<V>(run: PartitionRun<V>, { delivered, duplicates }: HandedOver): undefined {
  const { lease, keys, ports } = run;
  for (const record of delivered) lease.settle(run.settlingOf(record, 'handled'), keys?.handled(record));
  if (delivered.length > 0) ports.telemetry.count('RecordsHandled', delivered.length);
  for (const record of duplicates) {
    keys?.duplicate(record);
    lease.settle(run.settlingOf(record, 'duplicate'));
  }
}

/** Produces what the handler gave to `context.produce`. The broker acknowledges it before its record is settled. */
async function produce<V>(
  { ports, invocation, consumer, context, delivered: { topic, partition } }: PartitionRun<V>,
  call: Succeeded,
  outgoing: readonly OutgoingRecord[],
): Promise<CallEnd | undefined> {
  try {
    await ports.producer.produce(outgoing, invocation.plan.stallAt);
    return undefined;
  } catch (error) {
    // The broker refuses this record: that is a failure of the record that it came from.
    if (!(error instanceof LockstepError) || error.code !== 'BROKER_UNREACHABLE') return failed(call, error);
    // Not the record's fault, so no attempt is counted: the partition pauses.
    const { retry } = consumer.policy;
    const pauseMs = retry.backOffBaseMs + backOffMs(UNREACHABLE_BACK_OFF, retry, ports.entropy.random());
    context.log.warn('produced records were not acknowledged; the partition pauses', {
      topic,
      partition,
      error,
      pauseMs,
    });
    const { delivered, duplicates } = call;
    return {
      type: 'paused',
      until: ports.clock.now() + Math.ceil(pauseMs),
      error,
      delivered,
      duplicates,
      record: undefined,
    };
  }
}

/** A failed commit counts for its record, if the call has only one. */
function failed({ delivered, duplicates }: Succeeded, error: unknown): Extract<CallEnd, { readonly type: 'failed' }> {
  const record = delivered.length === 1 ? delivered[0] : undefined;
  return { type: 'failed', error, stage: 'handler', delivered, duplicates, record };
}

/** A condition of an action given to `transact` did not hold: that counts as a failure of its record, and of no other. */
function refused(records: readonly DeliveredRecord[], reasons: readonly EffectRefusal[]): TransactRefusedError {
  const said = reasons
    .map(({ index, code, text }) => {
      const what = index < 0 ? 'the transaction' : `action ${index}`;
      return `${what}: ${code}${text === '' || text === code ? '' : ` (${text})`}`;
    })
    .join('; ');
  return new TransactRefusedError(`transaction of ${nameOf(records)} was refused: ${said}`, reasons);
}

function nameOf(records: readonly DeliveredRecord[]): string {
  const [first, second] = records;
  if (first === undefined) return 'no record';
  return second === undefined ? first.position : `${first.position} and ${records.length - 1} more`;
}
