import type { Stage } from '../decide/progress.ts';
import type { ErrorClass } from '../decide/retry-policy.ts';
import { LockstepError } from '../errors.ts';
import type { ConsumerRecord } from '../record/consumer-record.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { decodeRecord } from './decode-record.ts';
import type { KeyVerdict } from './key-claims.ts';
import type { NotAttemptedReason } from './outcome.ts';
import type { DecodedRecord, PartitionRun } from './partition-run.ts';

/** A try that ended in an error. */
export interface Failed {
  readonly type: 'failed';
  readonly error: unknown;
  readonly stage: Stage;
  /** Where the error itself does not say. */
  readonly errorClass?: ErrorClass;
}

/** A record that may be handed to the handler. */
export interface ReadyRecord<V> {
  readonly type: 'ready';
  readonly delivered: DeliveredRecord;
  readonly record: ConsumerRecord<V>;
}

/** Whether a record may be handed to the handler, or what there is to say of it without that. */
export type Readiness<V> =
  | ReadyRecord<V>
  | { readonly type: 'duplicate' }
  | Failed
  | { readonly type: 'notTried'; readonly reason: NotAttemptedReason };

const USED = { type: 'used' } as const;

/** Decodes a record and asks for its idempotency key. */
export function readyRecord<V>(run: PartitionRun<V>, delivered: DeliveredRecord): Promise<Readiness<V>> | Readiness<V> {
  const known = run.decoded.get(delivered.offset);
  // A handler may change the value that it gets: each try has one of its own.
  if (known?.type === 'decoded') run.decoded.set(delivered.offset, USED);
  const decoded = known === undefined || known.type === 'used' ? decodeRecord(run.consumer, delivered) : known;
  return decoded instanceof Promise
    ? decoded.then((value) => judgedRecord(run, delivered, value))
    : judgedRecord(run, delivered, decoded);
}

function judgedRecord<V>(
  run: PartitionRun<V>,
  delivered: DeliveredRecord,
  decoded: DecodedRecord<V>,
): Promise<Readiness<V>> | Readiness<V> {
  const { consumer } = run;
  if (decoded.type === 'undecodable') {
    return {
      type: 'failed',
      error: decoded.error,
      stage: decoded.stage,
      errorClass: consumer.policy.onUndecodable === 'retry' ? 'retryable' : 'nonRetryable',
    };
  }
  if (decoded.type === 'keyless')
    return { type: 'failed', error: decoded.error, stage: 'idempotency', errorClass: 'nonRetryable' };
  const ready: ReadyRecord<V> = { type: 'ready', delivered, record: decoded.record };
  const verdict = run.keys?.verdict(delivered);
  return verdict instanceof Promise
    ? verdict.then((known) => admitted(run, ready, known))
    : admitted(run, ready, verdict);
}

function admitted<V>(run: PartitionRun<V>, ready: ReadyRecord<V>, verdict: KeyVerdict | undefined): Readiness<V> {
  if (verdict === undefined || verdict.type === 'run') return ready;
  if (verdict.type === 'held') return { type: 'notTried', reason: 'keyHeld' };
  return verdict.type === 'duplicate' ? verdict : reused(run, ready.delivered, verdict.by);
}

function reused<V>(
  { consumer }: PartitionRun<V>,
  record: DeliveredRecord,
  by: string,
): Failed | { readonly type: 'duplicate' } {
  if (consumer.policy.onKeyReuse === 'skip') return { type: 'duplicate' };
  const error = new LockstepError(
    'IDEMPOTENCY_KEY_REUSED',
    `idempotency key of ${record.position} was used by ${by} for another value`,
  );
  return { type: 'failed', error, stage: 'idempotency', errorClass: 'nonRetryable' };
}
