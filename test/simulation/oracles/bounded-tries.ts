import type { HistoryEvent, SimInvocation, Violation, Writer } from '../history.ts';
import { type LogRecord, nameOf } from '../kafka-log.ts';
import type { Settings } from '../settings.ts';
import type { Truth } from '../truth.ts';
import type { Oracle } from './oracle.ts';

const MAX_INTERRUPTIONS = 3;
/** Deaths that a lost claim or a first, unsuspecting run cannot attribute. */
const UNATTRIBUTED_DEATHS = 2;

/** 5. Bounded tries: no more than promised before the letter, and no letter for an innocent. */
export class BoundedTries implements Oracle {
  readonly #truth: Truth;
  readonly #settings: Settings;
  readonly #failures = new Map<LogRecord, number>();
  readonly #refused = new Set<LogRecord>();
  /** Failures that no write has carried yet, and how many were carried. */
  readonly #unwritten = new Map<SimInvocation, readonly { readonly record: LogRecord; readonly at: number }[]>();
  readonly #recorded = new Map<LogRecord, number>();
  /** The invocations whose process died, or was ended, in the record's handler. */
  readonly #deaths = new Map<LogRecord, Set<SimInvocation>>();
  /** Who wrote ahead that it runs the record. */
  readonly #ahead = new Map<LogRecord, Set<SimInvocation>>();
  /** In whose handler a process died. */
  readonly #killer = new Map<SimInvocation, LogRecord>();

  constructor(settings: Settings, truth: Truth) {
    this.#settings = settings;
    this.#truth = truth;
  }

  observe(event: HistoryEvent, at: number): Violation | undefined {
    switch (event.type) {
      case 'ended':
        return this.#ended(event, at);
      case 'notProduced':
      case 'effectRefused':
        this.#failures.set(event.record, (this.#failures.get(event.record) ?? 0) + 1);
        return undefined;
      case 'decided':
        // A reset forgets the tries too.
        for (const record of this.#truth.partition(event.place)) {
          this.#deaths.delete(record);
          this.#recorded.delete(record);
        }
        return undefined;
      case 'changed':
        return this.#changed(event);
      case 'letter':
        // What waits behind a parked record was never tried.
        if (event.by.type !== 'invocation' || (event.parked?.ordinal ?? 1) > 1 || this.#mayHaveLetter(event.record))
          return undefined;
        return {
          property: 'P5 innocent',
          text: `${event.record.place} ${nameOf(event.record)} gets a letter after ${this.#failures.get(event.record) ?? 0} failures and ${this.#deaths.get(event.record)?.size ?? 0} deaths`,
        };
      default:
        return undefined;
    }
  }

  #ended({ record, how, invocation }: Extract<HistoryEvent, { type: 'ended' }>, at: number): Violation | undefined {
    // An operator may ask for a release as often as he likes.
    if (invocation.releases) return undefined;
    if (how === 'failed') {
      this.#failures.set(record, (this.#failures.get(record) ?? 0) + 1);
      this.#unwritten.set(invocation, [...(this.#unwritten.get(invocation) ?? []), { record, at }]);
    }
    if (how === 'nonRetryable') this.#refused.add(record);
    if (how !== 'killed') return undefined;
    this.#killer.set(invocation, record);
    const deaths = (this.#deaths.get(record) ?? new Set()).add(invocation);
    this.#deaths.set(record, deaths);
    if (record.script.does !== 'kills' || deaths.size <= MAX_INTERRUPTIONS + UNATTRIBUTED_DEATHS) return undefined;
    // What is gone from Kafka is forgotten with its tries; a mapping that still holds it starts to count again.
    if (this.#truth.excused.has(record)) return undefined;
    return { property: 'P5 deaths', text: `${record.place} ${nameOf(record)} has killed ${deaths.size} hosts` };
  }

  #changed(event: Extract<HistoryEvent, { type: 'changed' }>): Violation | undefined {
    const { by, place, generation, after } = event;
    for (const record of this.#truth.forgottenBy(event)) {
      this.#deaths.delete(record);
      this.#recorded.delete(record);
    }
    const { running, blockedRecords } = after.progress;
    for (const blocked of blockedRecords.values()) {
      if (blocked.attempts > this.#settings.maxAttempts || blocked.interruptions > MAX_INTERRUPTIONS + 1)
        return {
          property: 'P5 bound',
          text: `${place}@${blocked.offset} has ${blocked.attempts} attempts and ${blocked.interruptions} interruptions`,
        };
    }
    if (by.type !== 'invocation' || by.invocation.releases) return undefined;
    const tooMany = this.#write(by, place);
    if (tooMany !== undefined || running === undefined) return tooMany;
    const record = this.#truth
      .partition(place)
      .find((candidate) => candidate.offset === running.offset && candidate.generation === generation);
    if (record === undefined) return undefined;
    const who = this.#ahead.get(record) ?? new Set();
    this.#ahead.set(record, who.add(by.invocation));
    return undefined;
  }

  /**
   * A write of the invocation was applied: it carries what had failed when it was sent. With the flood breaker open there is no
   * bound; and with keys a request is made up before keys are completed, so that nobody knows from outside what it carries.
   */
  #write({ invocation, askedAt }: Extract<Writer, { type: 'invocation' }>, place: string): Violation | undefined {
    const { keyed, maxAttempts, set } = this.#settings;
    const failed = this.#unwritten.get(invocation) ?? [];
    if (failed.length === 0 || keyed || set === 'flood') return undefined;
    const isCarried = ({ record, at }: { record: LogRecord; at: number }) => record.place === place && at < askedAt;
    this.#unwritten.set(
      invocation,
      failed.filter((one) => !isCarried(one)),
    );
    for (const { record } of failed.filter(isCarried)) {
      const recorded = (this.#recorded.get(record) ?? 0) + 1;
      this.#recorded.set(record, recorded);
      if (recorded > maxAttempts && !this.#truth.excused.has(record))
        return { property: 'P5 attempts', text: `${place} ${nameOf(record)}: ${recorded} recorded attempts` };
    }
    return undefined;
  }

  #mayHaveLetter(record: LogRecord): boolean {
    const { script } = record;
    if (script.does === 'undecodable' || this.#refused.has(record) || this.#truth.lettered.has(record)) return true;
    if ((this.#failures.get(record) ?? 0) >= this.#settings.maxAttempts) return true;
    if (this.#truth.abandoned.has(record) || this.#truth.replayed.has(record)) return true;
    if (this.#settings.keyed && this.#isReused(record)) return true;
    // Written ahead: a death counts from then on, whether the handler had begun or not, but never one in another record's handler.
    const ended = [...(this.#ahead.get(record) ?? [])].filter((invocation) => {
      const killer = this.#killer.get(invocation);
      if (killer !== undefined && killer !== record) return false;
      return invocation.state === 'died' || invocation.sessions.get(record.place)?.releasedAt === undefined;
    });
    return new Set([...ended, ...(this.#deaths.get(record) ?? [])]).size >= MAX_INTERRUPTIONS;
  }

  #isReused(record: LogRecord): boolean {
    // Of two records, one in each form of the value, nobody can tell whether their values are the same.
    const isComparable = !this.#settings.kinds.has('formChanged');
    return this.#truth
      .namesakes(record)
      .some((other) => other !== record && !(isComparable && other.content === record.content));
  }
}
