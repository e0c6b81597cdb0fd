import { START } from '../../../shared/testing/scheduler.ts';
import type { HistoryEvent, SimInvocation, Violation } from '../history.ts';
import type { LogRecord } from '../kafka-log.ts';
import { nameOf } from '../kafka-log.ts';
import type { Truth } from '../truth.ts';
import type { Oracle } from './oracle.ts';

const UNSEEN_MS = 60_000;
/** Answers in a row that report a record: the mapping's own pauses are not the consumer's. */
const UNSEEN_ANSWERS = 3;

interface Unseen {
  readonly since: number;
  readonly answers: number;
}

/**
 * 9. Never unseen: what keeps a record from being settled for longer than a minute is counted, or shows: in the ledger (a blocked
 * record, a pause, a halt, a missing record), by a log line that names the partition, or by the function's own errors. And an invocation
 * with which nothing went wrong gives its partitions back: nobody waits for the rest of its lease.
 */
export class NeverUnseen implements Oracle {
  readonly #truth: Truth;
  readonly #unseen = new Map<LogRecord, Unseen>();
  /** Partitions of which the ledger says that something blocks them; what others wait for is no cause for that record itself. */
  readonly #showing = new Map<string, (offset: number) => boolean>();

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  observe(event: HistoryEvent, at: number): Violation | undefined {
    switch (event.type) {
      case 'sign':
        this.#seen(event.place, event.waitsFor);
        return undefined;
      case 'changed':
        this.#changed(event, at);
        return undefined;
      case 'died':
        for (const place of event.invocation.parts.keys()) this.#seen(place);
        return undefined;
      case 'recreated':
        this.#unseen.clear();
        return undefined;
      case 'answered':
        return this.#answered(event, at) ?? this.#kept(event.invocation);
      default:
        return undefined;
    }
  }

  #changed({ place, before, after }: Extract<HistoryEvent, { type: 'changed' }>, at: number): void {
    const { blockedRecords, missingRecord, replayRefused, pausedUntil = 0, settled } = after.progress;
    const isPaused = pausedUntil > START + at;
    const isBlocked = blockedRecords.size > 0 || replayRefused.length > 0 || isPaused;
    const waitsFor = missingRecord?.offset;
    this.#showing.set(place, (offset) => isBlocked || (waitsFor !== undefined && waitsFor !== offset));
    const hasMoved = JSON.stringify(settled) !== JSON.stringify(before?.progress.settled ?? []);
    if (isBlocked || hasMoved) this.#seen(place);
    else if (waitsFor !== undefined) this.#seen(place, waitsFor);
  }

  /** @param but - the offset of which the sign says nothing */
  #seen(place: string, but?: number): void {
    for (const record of this.#unseen.keys())
      if (record.place === place && record.offset !== but) this.#unseen.delete(record);
  }

  #answered({ failures }: Extract<HistoryEvent, { type: 'answered' }>, at: number): Violation | undefined {
    for (const { partition, offset } of failures) {
      if (this.#showing.get(partition)?.(offset)) continue;
      const [record] = this.#truth.at(partition, [offset]);
      if (record === undefined || this.#truth.isDone(record)) continue;
      const { since, answers } = this.#unseen.get(record) ?? { since: at, answers: 0 };
      this.#unseen.set(record, { since, answers: answers + 1 });
      if (at - since <= UNSEEN_MS || answers + 1 < UNSEEN_ANSWERS) continue;
      return {
        property: 'P9 unseen',
        text: `${partition} ${nameOf(record)} was reported ${answers + 1} times in ${at - since} ms, and nothing says why`,
      };
    }
    return undefined;
  }

  /** Whoever answers, and with whom nothing went wrong, has given back what it held. */
  #kept(invocation: SimInvocation): Violation | undefined {
    if (invocation.disturbed) return undefined;
    if ([...this.#truth.live].some((run) => run.invocation === invocation)) return undefined;
    for (const [place, { epoch, releasedAt, fencedAt }] of invocation.sessions)
      if (epoch !== undefined && releasedAt === undefined && fencedAt === undefined)
        return {
          property: 'P9 kept',
          text: `i${invocation.id} answers and keeps ${place} for the rest of its lease`,
        };
    return undefined;
  }
}
