import type { HistoryEvent, Violation } from '../history.ts';
import type { LogRecord } from '../kafka-log.ts';
import type { Settings } from '../settings.ts';
import type { Truth } from '../truth.ts';
import type { Oracle } from './oracle.ts';

const GATE_MS = 300_000;
const GATE_TOLERANCE_MS = 30_000;

/** Part of no loss: a partition is never halted without a reason, and no record is given up that still comes. */
export class NoFalseStop implements Oracle {
  readonly #truth: Truth;
  readonly #settings: Settings;

  constructor(settings: Settings, truth: Truth) {
    this.#settings = settings;
    this.#truth = truth;
  }

  observe(event: HistoryEvent, at: number): Violation | undefined {
    if (event.type === 'changed') return this.#waiting(event) ?? this.#halted(event);
    if (event.type === 'abandoned') return this.#abandoned(event, at);
    return undefined;
  }

  /** Only a record that was delivered and is not recorded can be waited for. */
  #waiting({ place, generation, before, after }: Extract<HistoryEvent, { type: 'changed' }>): Violation | undefined {
    const offset = after.progress.missingRecord?.offset;
    if (offset === undefined || offset === before?.progress.missingRecord?.offset || this.#isRecreated())
      return undefined;
    const waitedFor = this.#truth.partition(place).some(
      (record) =>
        record.offset === offset &&
        record.generation === generation &&
        this.#truth.delivered.has(record) &&
        // Offsets that an operator let run again are forgotten again: a claim of them that takes effect late is waited for.
        // What a release handled is due in its partition until that is settled there, too.
        (!this.#truth.recorded.has(record) || this.#truth.replayed.has(record) || this.#isParkedAndOpen(record)),
    );
    return waitedFor
      ? undefined
      : { property: 'P1 false wait', text: `${place} waits for ${offset}, which does not come` };
  }

  /** An ordinary redelivery is never taken for a replay from before memory. */
  #halted({ place, before, after }: Extract<HistoryEvent, { type: 'changed' }>): Violation | undefined {
    const isNew = after.progress.replayRefused.length > 0 && (before?.progress.replayRefused.length ?? 0) === 0;
    const { kinds, reading } = this.#settings;
    // A mapping that delivers later records first, for whatever reason, may make earlier ones look like another topic's.
    const mayOvertake = reading === 'overtaken' || kinds.has('offsetsTooHigh');
    if (!isNew || kinds.has('groupRewound') || this.#isRecreated() || mayOvertake) return undefined;
    return { property: 'P1 false halt', text: `${place} is halted at forgotten offsets after an ordinary redelivery` };
  }

  #abandoned(
    { place, offsets, by, toRedeliver, lateMs }: Extract<HistoryEvent, { type: 'abandoned' }>,
    at: number,
  ): Violation | undefined {
    if (by === 'sweep' && toRedeliver.length > 0 && !this.#settings.kinds.has('offsetsTooHigh'))
      return {
        property: 'P1 false abandon',
        text: `${place}: ${toRedeliver.join(' ')} abandoned though the mapping owes it`,
      };
    const lowest = this.#truth.at(place, [Math.min(...offsets)])[0];
    const claimedAt = lowest && this.#truth.claimed.get(lowest);
    const thereFor = claimedAt === undefined ? -1 : at - lateMs - claimedAt;
    if (thereFor < 0 || thereFor >= GATE_MS - GATE_TOLERANCE_MS) return undefined;
    return {
      property: 'P1 false abandon',
      text: `${place}: ${lowest?.offset} abandoned ${thereFor} ms after it was there`,
    };
  }

  #isParkedAndOpen(record: LogRecord): boolean {
    return this.#truth.placeOf.has(record) && (this.#truth.open.get(record.place)?.has(record) ?? false);
  }

  #isRecreated(): boolean {
    return this.#settings.kinds.has('recreatedNewer') || this.#settings.kinds.has('recreatedOlder');
  }
}
