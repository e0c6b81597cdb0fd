import type { DeliveredRecord } from '../record/delivered-record.ts';

/** What a span of a record says besides the record. */
export interface TracedRun {
  readonly group: string;
  readonly attempt: number;
}

/** Traces runs of the record handler. */
export interface Tracer {
  /**
   * Calls `run` inside a consumer span that is linked to the producer's `traceparent`; the span ends when what `run` returned
   * has settled, with its error if it failed.
   */
  trace<T>(record: DeliveredRecord, about: TracedRun, run: () => T): T;
}
