import type { Log, LogFields } from '../ports/telemetry.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';

/**
 * Anybody may write this header, so it is logged only if it has this form.
 * https://www.w3.org/TR/trace-context/#traceparent-header
 */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/;

/** A log whose lines name a record. Each has its own fields, so that records that run side by side do not mix. */
export function recordLog(log: Log, record: DeliveredRecord, attempt: number, requestId: string): Log {
  const traceparent = TRACEPARENT.exec(record.headers.text('traceparent') ?? '')?.[0];
  const { topic, partition, kafkaOffset: offset } = record;
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
