import { START } from '../../../shared/testing/scheduler.ts';
import type { HistoryEvent, SimInvocation, Violation } from '../history.ts';
import { type LogRecord, nameOf } from '../kafka-log.ts';
import type { Settings } from '../settings.ts';
import type { Truth } from '../truth.ts';
import type { Oracle } from './oracle.ts';

/** Hosts' clocks differ by up to a second; a lease that ends so soon may be taken for over. */
const CLOCK_TOLERANCE_MS = 1_050;

/** 2. Order: in an ordering unit no record starts before all earlier claimed ones are settled, nor beside one that runs. */
export class Order implements Oracle {
  readonly #truth: Truth;
  readonly #settings: Settings;

  constructor(settings: Settings, truth: Truth) {
    this.#settings = settings;
    this.#truth = truth;
  }

  observe(event: HistoryEvent, at: number): Violation | undefined {
    if (event.type !== 'started') return undefined;
    const { record, invocation } = event;
    const truth = this.#truth;
    for (const earlier of truth.partition(record.place)) {
      if (earlier.generation !== record.generation || earlier.offset >= record.offset) continue;
      if (!this.#isSameUnit(earlier, record) || !truth.claimed.has(earlier)) continue;
      if (this.#settings.batched && this.#isInCall(earlier, invocation)) continue;
      if (truth.parkedFirst(record, earlier)) continue;
      if (truth.isPassed(earlier) || truth.abandoned.has(earlier) || truth.replayed.has(earlier)) continue;
      return {
        property: 'P2 order',
        text: `${record.place} ${nameOf(record)} starts before ${nameOf(earlier)} is settled`,
      };
    }
    for (const run of truth.live) {
      if (run.invocation === invocation) {
        if (this.#settings.batched) continue;
        if (this.#isSameUnit(run.record, record) && run.record.place === record.place)
          return {
            property: 'P2 overlap',
            text: `${nameOf(record)} starts beside ${nameOf(run.record)} in i${invocation.id}`,
          };
        continue;
      }
      const isSame = run.record.place === record.place && this.#isSameUnit(run.record, record);
      const isSameKey = this.#settings.keyed && run.record.idempotencyKey === record.idempotencyKey;
      const lease = run.invocation.sessions.get(run.record.place)?.leaseUntil ?? 0;
      if ((isSame || isSameKey) && lease > this.#now(at) + CLOCK_TOLERANCE_MS)
        return {
          property: 'P2 overlap',
          text: `${nameOf(record)} starts in i${invocation.id} while i${run.invocation.id} runs ${nameOf(run.record)} within its lease`,
        };
    }
    return undefined;
  }

  /** Handed over in the same call of `onBatch`, or settled along with a twin that is. */
  #isInCall(record: LogRecord, invocation: SimInvocation): boolean {
    const names = this.#truth.namesakes(record);
    for (const run of this.#truth.live)
      if (
        run.invocation === invocation &&
        (run.record === record || (this.#settings.keyed && names.includes(run.record)))
      )
        return true;
    return false;
  }

  #now(at: number): number {
    return START + at;
  }

  #isSameUnit(a: LogRecord, b: LogRecord): boolean {
    return this.#settings.order === 'partition' || (a.key !== null && a.key === b.key);
  }
}
