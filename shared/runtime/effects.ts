import { backOffMs } from '../decide/retry-policy.ts';
import { MAX_RECORD_ACTIONS } from '../decide/transact-size.ts';
import { LockstepError, TransactRefusedError } from '../errors.ts';
import type { EffectRefusal } from '../ports/ledger-store.ts';
import type { OutgoingRecord } from '../ports/record-producer.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { EpochMs } from '../record/units.ts';
import type { PartitionRun } from './partition-run.ts';
import { fitsTransaction, type Posting, postingSize } from './posting.ts';
import type { Failed } from './ready-record.ts';

/** What became of records that a handler passed on. */
export type PassedOn =
  | { readonly type: 'acknowledged' }
  /** The broker does not take this record: the failure of the record that it came from. */
  | Failed
  /** Nobody's fault and nobody's attempt: the partition stands still for a while. */
  | { readonly type: 'unreachable'; readonly until: EpochMs; readonly error: unknown };

/** As if so many attempts had failed: the pause is drawn below `backOffBaseMs * 2^n`, and `backOffBaseMs` is added. */
const UNREACHABLE_BACK_OFF = 2;

/** Produces what a handler passed on; acknowledged before its record is settled. */
export async function passOn<V>(
  { ports, invocation, consumer, context, delivered: { topic, partition } }: PartitionRun<V>,
  outgoing: readonly OutgoingRecord[],
): Promise<PassedOn> {
  try {
    await ports.producer.produce(outgoing, invocation.plan.stallAt);
    return { type: 'acknowledged' };
  } catch (error) {
    if (!(error instanceof LockstepError) || error.code !== 'BROKER_UNREACHABLE')
      return { type: 'failed', error, stage: 'handler' };
    const { retry } = consumer.policy;
    const pauseMs = retry.backOffBaseMs + backOffMs(UNREACHABLE_BACK_OFF, retry, ports.entropy.random());
    context.log.warn('records passed on were not acknowledged; the partition stands still', {
      topic,
      partition,
      error,
      pauseMs,
    });
    return { type: 'unreachable', until: ports.clock.now() + Math.ceil(pauseMs), error };
  }
}

/** Why one transaction cannot take what was given to `transact`, if it cannot. One record's actions are never split. */
export function tooLarge(records: readonly DeliveredRecord[], posting: Posting): Failed | undefined {
  const size = postingSize(posting);
  if (fitsTransaction(size)) return undefined;
  const { effects } = posting;
  const error = new LockstepError(
    'TRANSACT_TOO_LARGE',
    `${nameOf(records)} added ${effects.length} actions of ${size.bytes} bytes to context.transact, expected at most ${MAX_RECORD_ACTIONS} actions of 3,500,000 bytes`,
  );
  return { type: 'failed', error, stage: 'handler', errorClass: 'nonRetryable' };
}

/** A condition of an action given to `transact` did not hold: that record's failure, nobody else's. */
export function effectRefused(records: readonly DeliveredRecord[], reasons: readonly EffectRefusal[]): Failed {
  const said = reasons
    .map(({ index, code, text }) => {
      const what = index < 0 ? 'the transaction' : `action ${index}`;
      return `${what}: ${code}${text === '' || text === code ? '' : ` (${text})`}`;
    })
    .join('; ');
  return {
    type: 'failed',
    error: new TransactRefusedError(`transaction of ${nameOf(records)} was refused: ${said}`, reasons),
    stage: 'handler',
  };
}

function nameOf(records: readonly DeliveredRecord[]): string {
  const [first, second] = records;
  if (first === undefined) return 'no record';
  return second === undefined ? first.position : `${first.position} and ${records.length - 1} more`;
}
