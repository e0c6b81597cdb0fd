import { errorVerdict, pauseEnd } from '../decide/error-verdict.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { EpochMs } from '../record/units.ts';
import { type Failed, type NotStarted, notStarted, type ReadyCall } from './admit.ts';
import { failedRecord } from './failed-record.ts';
import { runHandler } from './handler-run.ts';
import { onceKnown } from './once-known.ts';
import type { PartitionRun } from './partition-run.ts';
import { CollectingContext } from './record-context.ts';
import { recordLog } from './record-log.ts';
import { leaveIsolated } from './turn.ts';

/** Records that went to the handler, and records that settle with them. */
export interface HandedOver {
  readonly delivered: readonly DeliveredRecord[];
  readonly duplicates: readonly DeliveredRecord[];
}

/** How a call of the handler ended. `record`: the record of the error, if it is known. */
export type CallEnd =
  | ({ readonly type: 'succeeded'; readonly context: CollectingContext } & HandedOver)
  | (Failed & FailedCall)
  | ({ readonly type: 'paused'; readonly until: EpochMs; readonly error: unknown } & FailedCall)
  /** The handler still runs, and the invocation must answer. */
  | { readonly type: 'stalled'; readonly delivered: readonly DeliveredRecord[] }
  | NotStarted;

interface FailedCall extends HandedOver {
  readonly record: DeliveredRecord | undefined;
}

/** Calls the handler once. */
export function callHandler<V>(run: PartitionRun<V>, call: ReadyCall<V>): Promise<CallEnd> | CallEnd {
  const entered = call.isolated || run.ports.sandbox.enter(false);
  return onceKnown(entered, (may) => (may ? callWhileHeld(run, call) : notStarted('deadline')));
}

/** Calls the handler in the sandbox, and leaves it. */
function callWhileHeld<V>(run: PartitionRun<V>, call: ReadyCall<V>): Promise<CallEnd> | CallEnd {
  const { lease, ports } = run;
  const leave = call.isolated ? () => void leaveIsolated(run) : () => ports.sandbox.leave();
  const now = ports.clock.now();
  // Keys were requested and `running` was written since the lease was checked. The process may have been frozen meanwhile.
  if (lease.mayStartAt(now)) return callNow(run, call, now, leave);
  return lease.mayStart().then((holds) => {
    if (holds) return callNow(run, call, ports.clock.now(), leave);
    leave();
    return notStarted('fenced');
  });
}

function callNow<V>(
  run: PartitionRun<V>,
  call: ReadyCall<V>,
  startedAt: EpochMs,
  leave: () => void,
): Promise<CallEnd> | CallEnd {
  const refusal = refusalOf(run, call);
  if (refusal !== undefined) {
    leave();
    return refusal;
  }
  const { sandbox, clock, telemetry, tracer, handlerScope, group } = run.ports;
  const { delivered, duplicates } = call;
  // A record that has failed before goes alone, so it is the first of its call.
  const context = new CollectingContext(run.context, delivered, attemptOf(run, delivered[0]));
  const called = handlerOf(run, call, context);
  const handle = handlerScope === undefined ? called : () => handlerScope.run(delivered, called);
  const about = { group, attempt: context.attempt };
  const traced = tracer === undefined ? handle : () => tracer.trace(delivered, about, handle);
  return onceKnown(runHandler(traced, run.invocation, sandbox, leave), (end) => {
    context.end();
    const handlerMs = clock.now() - startedAt;
    sandbox.observe(handlerMs);
    telemetry.count('HandlerMs', handlerMs);
    if (end.type === 'succeeded') return { type: 'succeeded', context, delivered, duplicates };
    if (end.type === 'stalled') return { type: 'stalled', delivered };
    return failedCall(run, call, context, end.error);
  });
}

/** Why the call may not start after all: something may have changed while it waited for its turn. */
function refusalOf<V>({ keys, invocation }: PartitionRun<V>, { delivered }: ReadyCall<V>): NotStarted | undefined {
  if (keys !== undefined && delivered.some((record) => keys.mayBeLost(record))) return notStarted('keyHeld');
  return invocation.isStalling ? notStarted('deadline') : undefined;
}

function attemptOf<V>({ lease }: PartitionRun<V>, { offset }: DeliveredRecord): number {
  if (lease.isPlain(offset)) return 1;
  return (lease.progress.blockedRecords.get(offset)?.attempts ?? 0) + 1;
}

function handlerOf<V>(
  { consumer: { handler } }: PartitionRun<V>,
  { records }: ReadyCall<V>,
  context: CollectingContext,
): () => unknown {
  if (handler.type === 'batch') return () => handler.onBatch(records, context);
  const record = records[0];
  return () => record && handler.onRecord(record, context);
}

function failedCall<V>(
  run: PartitionRun<V>,
  { delivered, duplicates }: ReadyCall<V>,
  context: CollectingContext,
  thrown: unknown,
): CallEnd {
  const { error, record: named } = failedRecord(thrown, delivered);
  // Records before a named one settle, unless the call has effects: it is not known which record each effect belongs to.
  const record = context.isBare || delivered.length === 1 ? named : undefined;
  const about = { delivered, duplicates, record };
  const verdict = errorVerdict(error);
  if (verdict.type !== 'pause') return { type: 'failed', stage: 'handler', error, ...about };
  const until = pauseEnd(verdict.pause, run.ports.clock.now(), run.consumer.policy.retry.maxPauseMs);
  const at = record ?? delivered[0];
  const log = recordLog(run.context.log, at, attemptOf(run, at), run.context.requestId);
  log.info('a handler paused its partition', { until });
  return { type: 'paused', until, error, ...about };
}
