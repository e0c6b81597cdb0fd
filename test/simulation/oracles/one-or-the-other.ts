import type { HistoryEvent, Violation } from '../history.ts';
import { type LogRecord, nameOf } from '../kafka-log.ts';
import type { Truth } from '../truth.ts';
import type { Oracle } from './oracle.ts';

/** 7. One or the other: a letter or a recorded handling, never both; one id for all copies of a letter, for no other letter. */
export class OneOrTheOther implements Oracle {
  readonly #truth: Truth;
  readonly #ids = new Map<string, LogRecord>();

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  observe(event: HistoryEvent): Violation | undefined {
    const truth = this.#truth;
    switch (event.type) {
      case 'started':
        return truth.lettered.has(event.record) && !truth.replayed.has(event.record)
          ? violation(event.record, 'has a letter and runs again')
          : undefined;
      case 'letter': {
        const { record, id, parked } = event;
        // What is parked is handled after all, or dropped.
        if (parked !== undefined) return undefined;
        if (truth.recorded.has(record) && !truth.lettered.has(record) && !truth.replayed.has(record))
          return violation(record, 'was recorded as handled and gets a letter');
        const ids = truth.lettered.get(record);
        if (ids !== undefined && !ids.has(id)) return violation(record, `has letters ${[...ids][0]} and ${id}`);
        const other = this.#ids.get(id);
        if (other !== undefined && other !== record) return violation(record, `has the letter id of ${nameOf(other)}`);
        this.#ids.set(id, record);
        return undefined;
      }
      default:
        return undefined;
    }
  }
}

function violation(record: LogRecord, what: string): Violation {
  return { property: 'P7 one or the other', text: `${record.place} ${nameOf(record)} ${what}` };
}
