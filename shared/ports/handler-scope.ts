import type { DeliveredRecord } from '../record/delivered-record.ts';

/** Knows whose handler started a piece of asynchronous work. */
export interface HandlerScope {
  /** Calls a handler of `records`; what it starts is known as theirs. */
  run(records: readonly DeliveredRecord[], call: () => unknown): unknown;
}
