import type { Stage } from '../decide/progress.ts';
import type { ErrorClass } from '../decide/retry-policy.ts';
import { headOf } from '../decide/settle.ts';
import { LockstepError, PauseError } from '../errors.ts';
import type { ConsumerRecord } from '../record/consumer-record.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { EpochMs } from '../record/units.ts';
import { decodeRecord } from './decode-record.ts';
import { runHandler } from './handler-run.ts';
import type { NotAttemptedReason } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import { CollectingContext } from './record-context.ts';

/** How one try of a record ended. */
export type TryEnd =
  | { readonly type: 'succeeded'; readonly context: CollectingContext }
  | { readonly type: 'duplicate' }
  | { readonly type: 'failed'; readonly error: unknown; readonly stage: Stage; readonly errorClass?: ErrorClass }
  | { readonly type: 'paused'; readonly until: EpochMs }
  /** The handler runs on though the invocation must answer. */
  | { readonly type: 'stalled' }
  | { readonly type: 'notTried'; readonly reason: NotAttemptedReason };

/** Decodes a record, asks for its idempotency key, and runs its handler once. */
export async function tryRecord<V>(run: PartitionRun<V>, record: DeliveredRecord): Promise<TryEnd> {
  const { consumer } = run;
  const known = run.decoded.get(record.offset);
  const pending = known ?? decodeRecord(consumer, record);
  const decoded = pending instanceof Promise ? await pending : pending;
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
  if (run.keys !== undefined) {
    const verdict = await run.keys.verdict(record);
    if (verdict.type === 'held') return { type: 'notTried', reason: 'keyHeld' };
    if (verdict.type === 'duplicate') return { type: 'duplicate' };
    if (verdict.type === 'reused') return reused(run, record, verdict.by);
  }
  return runInSandbox(run, record, decoded.record);
}

function reused<V>({ consumer }: PartitionRun<V>, record: DeliveredRecord, by: string): TryEnd {
  if (consumer.policy.onKeyReuse === 'skip') return { type: 'duplicate' };
  const error = new LockstepError(
    'IDEMPOTENCY_KEY_REUSED',
    `idempotency key of ${record.position} was used by ${by} for another value`,
  );
  return { type: 'failed', error, stage: 'idempotency', errorClass: 'nonRetryable' };
}

async function runInSandbox<V>(
  run: PartitionRun<V>,
  record: DeliveredRecord,
  decoded: ConsumerRecord<V>,
): Promise<TryEnd> {
  const { session, ports, invocation, consumer } = run;
  const { sandbox, clock } = ports;
  const carefulUntil = session.progress.carefulUntil;
  const careful = carefulUntil !== undefined && record.offset <= carefulUntil;
  const entered = sandbox.enter(careful);
  if (entered !== true) {
    if (!(await entered)) return { type: 'notTried', reason: 'deadline' };
    if (!(await session.mayStart())) return left(run, 'fenced');
  }
  if (careful) {
    const { offset, timestamp, valueHash } = record;
    // Written ahead: from here on a death counts for this record, begun or not.
    session.update((progress) => ({ ...progress, running: { offset, timestamp, valueHash } }));
    const written = await session.write();
    if (written.type !== 'written') return left(run, 'fenced');
  }
  if (invocation.isStalling) return left(run, 'deadline');
  const attempt = (session.progress.heads.get(record.offset)?.attempts ?? 0) + 1;
  const context = new CollectingContext(run.context, record, attempt);
  const startedAt = clock.now();
  const { handler } = consumer;
  const call = () =>
    handler.type === 'record' ? handler.onRecord(decoded, context) : handler.onBatch([decoded], context);
  const ending = runHandler(call, invocation, sandbox);
  const end = ending instanceof Promise ? await ending : ending;
  const handlerMs = clock.now() - startedAt;
  sandbox.observe(handlerMs);
  if (end.type !== 'stalled') forgetRunning(run);
  switch (end.type) {
    case 'succeeded':
      return { type: 'succeeded', context };
    case 'stalled':
      return { type: 'stalled' };
    case 'failed':
      return isPause(end.error)
        ? { type: 'paused', until: clock.now() + end.error.resumeAfterMs }
        : { ...end, stage: 'handler' };
  }
}

function left<V>(run: PartitionRun<V>, reason: NotAttemptedReason): TryEnd {
  run.ports.sandbox.leave();
  forgetRunning(run);
  return { type: 'notTried', reason };
}

function forgetRunning<V>({ session }: PartitionRun<V>): void {
  if (session.progress.running === undefined) return;
  session.update(({ running: _, ...progress }) => progress);
}

/** A bundle may hold two copies of the class, so the name decides. */
function isPause(error: unknown): error is PauseError {
  return (
    error instanceof PauseError || (error instanceof Error && error.name === 'PauseError' && 'resumeAfterMs' in error)
  );
}

/** The head of a record whose handler never ended: counted apart from attempts, and run carefully from now on. */
export function countInterruption<V>({ session, ports }: PartitionRun<V>, record: DeliveredRecord): void {
  ports.telemetry.count('Interruptions');
  session.update(({ running: _, ...progress }) => {
    const head = headOf(progress, record);
    return {
      ...progress,
      heads: new Map(progress.heads).set(record.offset, {
        ...head,
        interruptions: head.interruptions + 1,
        firstFailedAt: head.firstFailedAt ?? ports.clock.now(),
      }),
      carefulUntil: Math.max(progress.carefulUntil ?? -1, record.offset),
    };
  });
}
