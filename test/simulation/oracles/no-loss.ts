import type { HistoryEvent, Violation } from '../history.ts';
import { type LogRecord, nameOf } from '../kafka-log.ts';
import type { Settings } from '../settings.ts';
import type { Truth } from '../truth.ts';
import type { Oracle } from './oracle.ts';

/**
 * 1. No loss: what was delivered ends handled or dead-lettered once faults stop, and nothing counts as settled before. What a
 * mapping loses before any claim held it is out of reach; so offsets committed too high excuse what was never claimed.
 */
export class NoLoss implements Oracle {
  readonly #truth: Truth;
  readonly #settings: Settings;

  constructor(settings: Settings, truth: Truth) {
    this.#settings = settings;
    this.#truth = truth;
  }

  observe(event: HistoryEvent): Violation | undefined {
    switch (event.type) {
      case 'changed': {
        if (event.after.epoch > (event.before?.epoch ?? 0)) return undefined;
        const settled = this.#truth.newlyRecorded(event.place, event.generation, event.after.progress.settled);
        const lost = settled.find((record) => !this.#truth.isPassed(record));
        // What is parked has its effects with its release.
        const ended = settled.filter((record) => !this.#truth.keptParked.has(record));
        if (lost === undefined) return this.#effectsOf(ended) ?? this.#passedOn(ended);
        return violation(lost, 'counts as settled and was neither handled nor dead-lettered');
      }
      case 'parked': {
        if (event.by.type === 'operator') return undefined;
        const ended = this.#truth.endedBy(event);
        return this.#effectsOf(ended) ?? this.#passedOn(ended);
      }
      case 'rested': {
        for (const record of this.#truth.delivered)
          if (this.#mustBeDone(record) && !this.#truth.isDone(record))
            return violation(record, 'ends neither handled nor dead-lettered');
        if (event.stuck !== undefined) return { property: 'P1 rest', text: event.stuck };
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #mustBeDone(record: LogRecord): boolean {
    if (record.generation !== this.#truth.generation) return false;
    return this.#truth.claimed.has(record) || !this.#settings.kinds.has('offsetsTooHigh');
  }

  /** What a record passes on is acknowledged before it counts as settled. */
  #passedOn(settled: readonly LogRecord[]): Violation | undefined {
    if (!this.#settings.produces) return undefined;
    const { handled, lettered, produced, excused } = this.#truth;
    const without = settled.find(
      (record) =>
        handled.has(record) &&
        !excused.has(record) &&
        !lettered.has(record) &&
        !produced.has(record) &&
        !this.#truth.isDuplicate(record),
    );
    return without === undefined
      ? undefined
      : violation(without, 'counts as handled, and what it passes on is not there');
  }

  /** A handled record's effects are committed with its settling, neither before nor after, nor not at all. */
  #effectsOf(settled: readonly LogRecord[]): Violation | undefined {
    if (!this.#settings.transacts) return undefined;
    const { effects, handled, lettered, replayed, excused } = this.#truth;
    const without = settled.find(
      (record) =>
        handled.has(record) &&
        !lettered.has(record) &&
        !excused.has(record) &&
        !replayed.has(record) &&
        !effects.has(record) &&
        !this.#truth.isDuplicate(record),
    );
    return without === undefined ? undefined : violation(without, 'counts as handled, and its effects are not there');
  }
}

function violation(record: LogRecord, what: string): Violation {
  return { property: 'P1 no loss', text: `${record.place} ${nameOf(record)} ${what}` };
}
