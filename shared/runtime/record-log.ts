import { blockedRecordOf } from '../decide/settle.ts';
import type { Log, LogFields } from '../ports/telemetry.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { EpochMs } from '../record/units.ts';
import type { PartitionRun } from './partition-run.ts';

/** A log whose lines name a record. Fields of its own, so that records running side by side never mix. */
export function recordLog(log: Log, record: DeliveredRecord, attempt: number, requestId: string): Log {
  const traceparent = record.headers.text('traceparent');
  const { topic, partition, offset } = record;
  const named: LogFields = {
    topic,
    partition,
    offset,
    attempt,
    requestId,
    ...(traceparent !== undefined && { traceparent }),
  };
  return {
    debug: (text, fields) => log.debug(text, { ...fields, ...named }),
    info: (text, fields) => log.info(text, { ...fields, ...named }),
    warn: (text, fields) => log.warn(text, { ...fields, ...named }),
    error: (text, fields) => log.error(text, { ...fields, ...named }),
  };
}

/** @param until - epoch milliseconds at which the partition goes on */
export function logPause<V>({ session, context }: PartitionRun<V>, record: DeliveredRecord, until: EpochMs): void {
  const { attempts } = blockedRecordOf(session.progress, record);
  recordLog(context.log, record, attempts + 1, context.requestId).info('a handler paused its partition', { until });
}
