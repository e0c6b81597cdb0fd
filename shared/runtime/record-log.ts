import type { Log, LogFields } from '../ports/telemetry.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';

/** A log whose lines name a record. Each has fields of its own, so that records that run side by side never mix. */
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
