import type { DeliveredRecord } from '../record/delivered-record.ts';

/** Knows which handler call started a piece of asynchronous work. */
export interface HandlerScope {
  /** Calls a handler of `records`. Work that it starts is attributed to them. */
  run(records: readonly DeliveredRecord[], call: () => unknown): unknown;
}
