import type { DeliveredRecord } from '../record/delivered-record.ts';

/** What a span says besides its records. */
export interface TracedRun {
  readonly group: string;
  readonly attempt: number;
}

/** Traces calls of the record handler. */
export interface Tracer {
  /**
   * Calls `run` inside a consumer span that is linked to the `traceparent` of each record. The span ends when the result of
   * `run` has settled, with the error if it failed.
   *
   * @param records - of one partition: one record, or those of an `onBatch` call
   */
  trace<T>(records: readonly DeliveredRecord[], about: TracedRun, run: () => T): T;
}
