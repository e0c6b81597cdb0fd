import { LockstepError } from '../errors.ts';
import type { EffectRefusal } from '../ports/ledger-store.ts';
import type { OutgoingRecord } from '../ports/record-producer.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { PartitionRun } from './partition-run.ts';
import type { TryEnd } from './try-record.ts';

type Failed = Extract<TryEnd, { readonly type: 'failed' }>;

/** Produces what a handler passed on; acknowledged before its record is settled. What was refused is the record's failure. */
export async function passOn<V>(
  { ports, invocation }: PartitionRun<V>,
  outgoing: readonly OutgoingRecord[],
): Promise<Failed | undefined> {
  try {
    await ports.producer.produce(outgoing, invocation.plan.stallAt);
    return undefined;
  } catch (error) {
    return { type: 'failed', error, stage: 'handler' };
  }
}

/** A condition of an action given to `transact` did not hold: that record's failure, nobody else's. */
export function effectRefused(record: DeliveredRecord, reasons: readonly EffectRefusal[]): Failed {
  const said = reasons
    .map(({ index, code, text }) => `action ${index}: ${code}${text === '' ? '' : ` (${text})`}`)
    .join('; ');
  return {
    type: 'failed',
    error: new LockstepError('TRANSACT_REFUSED', `transaction of ${record.position} was refused: ${said}`),
    stage: 'handler',
  };
}
