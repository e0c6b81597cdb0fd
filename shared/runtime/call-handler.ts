import { errorVerdict, pauseEnd } from '../decide/error-verdict.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { EpochMs } from '../record/units.ts';
import { type Blame, blame } from './blame.ts';
import { type HandlerEnd, runHandler } from './handler-run.ts';
import type { NotAttemptedReason } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import type { Failed, ReadyRecord } from './ready-record.ts';
import { CollectingContext } from './record-context.ts';

/** How one call of the handler ended, with what it wants committed. */
export type CallEnd =
  | { readonly type: 'succeeded'; readonly context: CollectingContext }
  | ({ readonly type: 'failed'; readonly stage: 'handler'; readonly context: CollectingContext } & Blame)
  | {
      readonly type: 'paused';
      readonly until: EpochMs;
      readonly error: unknown;
      readonly context: CollectingContext;
      readonly record?: DeliveredRecord;
    }
  /** The handler runs on though the invocation must answer. */
  | { readonly type: 'stalled' }
  | { readonly type: 'notTried'; readonly reason: NotAttemptedReason };

/** How one try of a record ended. */
export type TryEnd = CallEnd | Failed | { readonly type: 'duplicate' };

/** Hands records to the handler once: one, unless it is `onBatch`. None of them is one that crash isolation tries. */
export function callHandler<V>(run: PartitionRun<V>, ready: readonly ReadyRecord<V>[]): Promise<CallEnd> {
  const { sandbox } = run.ports;
  const leave = () => sandbox.leave();
  const entered = sandbox.enter(false);
  if (entered === true) return handOver(run, ready, leave);
  return entered.then(async (admitted) => (await hindranceOf(run, admitted)) ?? handOver(run, ready, leave));
}

/** What keeps a record from its turn after it had to wait for it. */
export async function hindranceOf<V>(run: PartitionRun<V>, admitted: boolean): Promise<CallEnd | undefined> {
  if (!admitted) return { type: 'notTried', reason: 'deadline' };
  return (await run.session.mayStart()) ? undefined : left(run, 'fenced');
}

/** Whether crash isolation tries the record. */
export function isTriedIsolated<V>({ session }: PartitionRun<V>, { offset }: DeliveredRecord): boolean {
  if (session.isPlain(offset)) return false;
  const { isolateUntil } = session.progress;
  return isolateUntil !== undefined && offset <= isolateUntil;
}

/**
 * Runs the handler of records that may be handed over.
 *
 * @param leave - called when the handler has ended: leaves the sandbox, which was entered
 */
export async function handOver<V>(
  run: PartitionRun<V>,
  ready: readonly ReadyRecord<V>[],
  leave: () => void,
): Promise<CallEnd> {
  const { session, keys, ports, invocation } = run;
  const { sandbox, clock } = ports;
  const records = ready.map(({ delivered }) => delivered);
  const [first] = records;
  if (first === undefined) return left(run, 'halted');
  // Keys were asked for and `running` was written since the lease was looked at: a host may have stood still meanwhile.
  const startedAt = clock.now();
  if (!session.mayStartAt(startedAt)) return left(run, 'fenced');
  if (keys !== undefined && records.some((record) => keys.mayBeLost(record))) return left(run, 'keyHeld');
  if (invocation.isStalling) return left(run, 'deadline');
  // What has failed before goes alone, so that it is the first.
  const attempts = session.isPlain(first.offset)
    ? 0
    : (session.progress.blockedRecords.get(first.offset)?.attempts ?? 0);
  const context = new CollectingContext(run.context, records, attempts + 1);
  const call = callOf(run, ready, context);
  const { tracer, group } = ports;
  const about = { group, attempt: context.attempt };
  const traced = tracer === undefined ? call : () => tracer.trace(records, about, call);
  const ending = runHandler(traced, invocation, sandbox, leave);
  const end = ending instanceof Promise ? await ending : ending;
  const handlerMs = clock.now() - startedAt;
  sandbox.observe(handlerMs);
  ports.telemetry.count('HandlerMs', handlerMs);
  return judged(run, end, records, context);
}

function callOf<V>(
  { consumer: { handler } }: PartitionRun<V>,
  ready: readonly ReadyRecord<V>[],
  context: CollectingContext,
): () => unknown {
  const [first] = ready;
  if (handler.type === 'record' && first !== undefined) return () => handler.onRecord(first.record, context);
  return () => {
    if (handler.type === 'batch')
      return handler.onBatch(
        ready.map(({ record }) => record),
        context,
      );
  };
}

function judged<V>(
  { ports, consumer }: PartitionRun<V>,
  end: HandlerEnd,
  records: readonly DeliveredRecord[],
  context: CollectingContext,
): CallEnd {
  if (end.type === 'succeeded') return { type: 'succeeded', context };
  if (end.type === 'stalled') return end;
  const { error, record } = blame(end.error, records);
  const whose = { context, ...(record !== undefined && { record }) };
  const verdict = errorVerdict(error);
  if (verdict.type === 'pause') {
    const until = pauseEnd(verdict.pause, ports.clock.now(), consumer.policy.retry.maxPauseMs);
    return { type: 'paused', until, error, ...whose };
  }
  return { type: 'failed', stage: 'handler', error, ...whose };
}

/** The record has left the sandbox again without its handler. */
export function left<V>(run: PartitionRun<V>, reason: NotAttemptedReason): CallEnd {
  run.ports.sandbox.leave();
  forgetRunning(run);
  return { type: 'notTried', reason };
}

/** No record is being tried any more; written with the next write. */
export function forgetRunning<V>({ session }: PartitionRun<V>): void {
  if (!session.hasRunning) return;
  session.update(({ running: _, ...progress }) => progress);
}
