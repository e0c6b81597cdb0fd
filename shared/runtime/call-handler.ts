import { PauseError } from '../errors.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { EpochMs } from '../record/units.ts';
import { type Blame, blame } from './blame.ts';
import { type HandlerEnd, runHandler } from './handler-run.ts';
import type { NotAttemptedReason } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import type { ReadyRecord } from './ready-record.ts';
import { CollectingContext } from './record-context.ts';

/** https://tc39.es/ecma262/#sec-time-values-and-time-range */
const LAST_DATE_MS = 8_640_000_000_000_000;

/** How one call of the handler ended, with what it wants committed. */
export type CallEnd =
  | { readonly type: 'succeeded'; readonly context: CollectingContext }
  | ({ readonly type: 'failed'; readonly stage: 'handler'; readonly context: CollectingContext } & Blame)
  | {
      readonly type: 'paused';
      readonly until: EpochMs;
      readonly context: CollectingContext;
      readonly record?: DeliveredRecord;
    }
  /** The handler runs on though the invocation must answer. */
  | { readonly type: 'stalled' }
  | { readonly type: 'notTried'; readonly reason: NotAttemptedReason };

/** Hands records to the handler once: one, unless it is `onBatch`. In careful mode one, written ahead. */
export async function callHandler<V>(run: PartitionRun<V>, ready: readonly ReadyRecord<V>[]): Promise<CallEnd> {
  const { session, ports, invocation } = run;
  const { sandbox, clock } = ports;
  const records = ready.map(({ delivered }) => delivered);
  const [first] = records;
  if (first === undefined) return { type: 'notTried', reason: 'halted' };
  const carefulUntil = session.isPlain(first.offset) ? undefined : session.progress.carefulUntil;
  const careful = carefulUntil !== undefined && first.offset <= carefulUntil;
  const entered = sandbox.enter(careful);
  if (entered !== true) {
    if (!(await entered)) return { type: 'notTried', reason: 'deadline' };
    if (!(await session.mayStart())) return left(run, 'fenced');
  }
  if (careful) {
    const { offset, timestamp, valueHash } = first;
    // Written ahead: from here on a death counts for this record, begun or not.
    session.update((progress) => ({ ...progress, running: { offset, timestamp, valueHash } }));
    const written = await session.write();
    if (written.type !== 'written') return left(run, 'fenced');
  }
  // Keys were asked for and `running` was written since the lease was looked at: a host may have stood still meanwhile.
  const startedAt = clock.now();
  if (!session.mayStartAt(startedAt)) return left(run, 'fenced');
  if (invocation.isStalling) return left(run, 'deadline');
  // What has failed before goes alone, so that it is the first.
  const attempts = session.isPlain(first.offset) ? 0 : (session.progress.heads.get(first.offset)?.attempts ?? 0);
  const context = new CollectingContext(run.context, records, attempts + 1);
  const call = callOf(run, ready, context);
  const { tracer, group } = ports;
  const about = { group, attempt: context.attempt };
  const traced = tracer === undefined ? call : () => tracer.trace(records, about, call);
  const ending = runHandler(
    traced,
    invocation,
    sandbox,
    careful ? () => void leaveCarefully(run) : () => sandbox.leave(),
  );
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
  { ports }: PartitionRun<V>,
  end: HandlerEnd,
  records: readonly DeliveredRecord[],
  context: CollectingContext,
): CallEnd {
  if (end.type === 'succeeded') return { type: 'succeeded', context };
  if (end.type === 'stalled') return end;
  const { error, record } = blame(end.error, records);
  const whose = { context, ...(record !== undefined && { record }) };
  if (isPause(error)) return { type: 'paused', until: resumeAt(ports.clock.now(), error), ...whose };
  return { type: 'failed', stage: 'handler', error, ...whose };
}

function left<V>(run: PartitionRun<V>, reason: NotAttemptedReason): CallEnd {
  run.ports.sandbox.leave();
  forgetRunning(run);
  return { type: 'notTried', reason };
}

/** Nobody else's handler starts before it is written that this one's has ended: a death in theirs would be put down to this record. */
async function leaveCarefully<V>(run: PartitionRun<V>): Promise<void> {
  forgetRunning(run);
  await run.session.write();
  run.ports.sandbox.leave();
}

function forgetRunning<V>({ session }: PartitionRun<V>): void {
  if (!session.hasRunning) return;
  session.update(({ running: _, ...progress }) => progress);
}

/** The ledger keeps whole milliseconds, of a time that has a date. */
function resumeAt(now: EpochMs, { resumeAfterMs }: PauseError): EpochMs {
  const ms = Number(resumeAfterMs);
  return Math.min(LAST_DATE_MS, now + (ms > 0 ? Math.ceil(ms) : 1));
}

/** A bundle may hold two copies of the class, so the name decides. */
function isPause(error: unknown): error is PauseError {
  return (
    error instanceof PauseError || (error instanceof Error && error.name === 'PauseError' && 'resumeAfterMs' in error)
  );
}
