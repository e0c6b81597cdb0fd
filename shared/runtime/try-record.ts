import { blockedRecordOf } from '../decide/settle.ts';
import { LockstepError } from '../errors.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { callHandler, isTriedIsolated, type TryEnd } from './call-handler.ts';
import { tryIsolated } from './careful-try.ts';
import type { PartitionRun } from './partition-run.ts';
import { type Readiness, readyRecord } from './ready-record.ts';
import { recordLog } from './record-log.ts';

/** Decodes a record, asks for its idempotency key, and runs its handler once. */
export function tryRecord<V>(run: PartitionRun<V>, record: DeliveredRecord): Promise<TryEnd> | TryEnd {
  if (isTriedIsolated(run, record)) return tryIsolated(run, record);
  const ready = readyRecord(run, record);
  return ready instanceof Promise ? ready.then((settled) => tryReady(run, settled)) : tryReady(run, ready);
}

function tryReady<V>(run: PartitionRun<V>, ready: Readiness<V>): Promise<TryEnd> | TryEnd {
  return ready.type === 'ready' ? callHandler(run, [ready]) : ready;
}

/** The blocked record of a record whose handler never ended: counted apart from attempts, and run carefully from now on. */
export function countInterruption<V>({ session, ports, context }: PartitionRun<V>, record: DeliveredRecord): void {
  ports.telemetry.count('Interruptions');
  const { attempts, interruptions } = blockedRecordOf(session.progress, record);
  recordLog(context.log, record, attempts + 1, context.requestId).error('a record handler never ended', {
    interruptions: interruptions + 1,
    error: new LockstepError(
      'HANDLER_NEVER_ENDED',
      `the handler of ${record.position} was still running when the invocation had to answer`,
    ),
  });
  session.update(({ running: _, ...progress }) => {
    const blocked = blockedRecordOf(progress, record);
    return {
      ...progress,
      blockedRecords: new Map(progress.blockedRecords).set(record.offset, {
        ...blocked,
        interruptions: blocked.interruptions + 1,
        firstFailedAt: blocked.firstFailedAt ?? ports.clock.now(),
      }),
      isolateUntil: Math.max(progress.isolateUntil ?? -1, record.offset),
    };
  });
}
