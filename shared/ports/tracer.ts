import type { DeliveredRecord } from '../record/delivered-record.ts';

/** What a span says besides its records. */
export interface TracedRun {
  readonly group: string;
  readonly attempt: number;
}

/** Traces runs of the record handler. */
export interface Tracer {
  /**
   * Calls `run` inside a consumer span that is linked to the `traceparent` of each record's producer; the span ends when what
   * `run` returned has settled, with its error if it failed.
   *
   * @param records - of one partition: one, or those of an `onBatch` call
   */
  trace<T>(records: readonly DeliveredRecord[], about: TracedRun, run: () => T): T;
}
