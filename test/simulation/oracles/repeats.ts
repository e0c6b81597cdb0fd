import { START } from '../../../shared/testing/scheduler.ts';
import type { HistoryEvent, SimInvocation, Violation } from '../history.ts';
import { type LogRecord, nameOf } from '../kafka-log.ts';
import type { Settings } from '../settings.ts';
import type { Truth } from '../truth.ts';
import type { Oracle } from './oracle.ts';

/** A checkpoint's own way, besides its interval: two requests one after the other, and a host's queue. */
const CHECKPOINT_SLACK_MS = 500;

/**
 * 3. What is recorded as settled is not run again. 4. Otherwise few repeats: only of an invocation that did not give the
 * partition back, and only what ran since its last checkpoint. Effects given to `transact` happen once.
 */
export class Repeats implements Oracle {
  readonly #truth: Truth;
  readonly #settings: Settings;
  readonly #completed = new Set<string>();

  constructor(settings: Settings, truth: Truth) {
    this.#settings = settings;
    this.#truth = truth;
  }

  observe(event: HistoryEvent): Violation | undefined {
    switch (event.type) {
      case 'started':
        return this.#started(event.record);
      case 'completed':
        this.#completed.add(event.position);
        return undefined;
      case 'changed':
        return event.after.epoch > (event.before?.epoch ?? 0) ? undefined : this.#keysOf(event);
      case 'effect':
        if (!this.#truth.effects.has(event.record) || this.#truth.replayed.has(event.record)) return undefined;
        return { property: 'P4 effects', text: `${where(event.record)} took effect twice` };
      default:
        return undefined;
    }
  }

  #started(record: LogRecord): Violation | undefined {
    const truth = this.#truth;
    // While an operator's replay is in force, what is before memory stays there: it runs as often as it comes.
    if (truth.replayed.has(record)) return undefined;
    if (truth.recorded.has(record)) return rerun('P3 repeats', record, 'was recorded as settled and runs again');
    const twin = this.#settings.keyed && truth.namesakes(record).find((other) => this.#isRecordedTwin(record, other));
    if (twin) return rerun('P3 repeats', record, `runs, and ${where(twin)} of the same key was recorded as handled`);
    const before = truth.handled.get(record);
    if (before === undefined) return undefined;
    const session = before.by.sessions.get(record.place);
    if (session?.releasedAt !== undefined)
      return rerun('P4 repeats', record, `runs again, and i${before.by.id} gave the partition back`);
    const lostAt = Math.min(
      session?.fencedAt ?? Number.POSITIVE_INFINITY,
      before.by.endedAt ?? Number.POSITIVE_INFINITY,
    );
    const unwritten = lostAt - START - before.at;
    if (
      this.#settings.batched ||
      before.by.disturbed ||
      this.#settings.checkpointMs === 'record' ||
      unwritten === Number.POSITIVE_INFINITY
    )
      return undefined;
    if (unwritten <= this.#settings.checkpointMs + CHECKPOINT_SLACK_MS || !isDead(before.by)) return undefined;
    return rerun(
      'P4 window',
      record,
      `ended ${unwritten} ms before i${before.by.id} died, and nothing had recorded it`,
    );
  }

  #isRecordedTwin(record: LogRecord, other: LogRecord): boolean {
    const { handled, recorded, replayed, lettered, excused, dropped } = this.#truth;
    // What is gone from Kafka counts as settled, handled or not, and so does what an operator gave up on: its key is nobody's.
    if (other === record || replayed.has(other) || lettered.has(other) || excused.has(other)) return false;
    if (dropped.has(other)) return false;
    return handled.has(other) && recorded.has(other);
  }

  /** A key is completed before its record counts as settled: else a crash between the two runs a twin. */
  #keysOf({ place, generation, after }: Extract<HistoryEvent, { type: 'changed' }>): Violation | undefined {
    if (!this.#settings.keyed) return undefined;
    const truth = this.#truth;
    for (const record of truth.newlyRecorded(place, generation, after.progress.settled)) {
      if (!truth.handled.has(record) || truth.lettered.has(record) || truth.replayed.has(record)) continue;
      if (truth.excused.has(record) || truth.keptParked.has(record)) continue;
      const isCompleted = truth.namesakes(record).some((other) => this.#completed.has(where(other)));
      if (!isCompleted) return rerun('P3 repeats', record, 'counts as settled before its key is completed');
    }
    return undefined;
  }
}

function isDead({ state }: SimInvocation): boolean {
  return state === 'died';
}

/** As the ledger names it. */
function where({ place, offset }: LogRecord): string {
  return `${place}@${offset}`;
}

function rerun(property: string, record: LogRecord, what: string): Violation {
  return { property, text: `${record.place} ${nameOf(record)} ${what}` };
}
