import type { HistoryEvent, Violation } from '../history.ts';

/** One promise of docs/guarantees.md, judged on what happens. It is asked before the truth learns of the event. */
export interface Oracle {
  /** @param at - true milliseconds since the start */
  observe(event: HistoryEvent, at: number): Violation | undefined;
}
