import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Offset } from '../record/units.ts';
import { type Outcomes, settles } from './outcome.ts';

/** Records that go to the handler together, in offset order: one, or several for `onBatch`. */
export type Call<R> = readonly [R, ...R[]];

/** Whether there is a record to call the handler with. */
export function isCall<R>(records: readonly R[]): records is Call<R> {
  return records.length > 0;
}

/** The rules by which a schedule makes calls. */
export interface ScheduleRules<R> {
  /** Equal for records that must keep their order. */
  readonly unitOf: (record: R) => unknown;
  /** The most records in one call. */
  readonly maxRecords: number;
  /** Whether a record must be the only one of its call. */
  readonly goesAlone: (record: R) => boolean;
}

/** The ordering unit of a record: its partition, or its key. A record without a key is a unit of its own. */
export function orderingUnit(order: 'partition' | 'key'): (record: DeliveredRecord) => unknown {
  return order === 'partition' ? () => '' : (record) => record.encodedKey ?? record;
}

/** The records of one ordering unit, in offset order. */
interface Lane<R> {
  readonly records: R[];
  /** Index into `records`: all records before it are settled. */
  next: number;
  /** How many records from `next` on are in a call. */
  inCall: number;
}

/**
 * Chooses the records that go to the handler next: the earliest ones whose ordering unit has nothing running and nothing halted
 * before them. The earliest first, so that few records run ahead of a slow one. It knows no clock and no I/O.
 */
export class Schedule<R extends { readonly offset: Offset }> {
  readonly #rules: ScheduleRules<R>;
  readonly #laneOf = new Map<unknown, Lane<R>>();
  /** Lanes whose next record may start. The earliest is the last one. */
  #ready: Lane<R>[] = [];

  /** @param records - in offset order */
  constructor(records: readonly R[], rules: ScheduleRules<R>) {
    this.#rules = rules;
    for (const record of records) {
      const unit = rules.unitOf(record);
      const lane = this.#laneOf.get(unit);
      if (lane !== undefined) lane.records.push(record);
      else {
        const opened = { records: [record], next: 0, inCall: 0 };
        this.#laneOf.set(unit, opened);
        this.#ready.push(opened);
      }
    }
    this.#ready.reverse();
  }

  /** The call to make now; `undefined` while none may be made. Calls with several records are made one at a time. */
  next(): Call<R> | undefined {
    const lane = this.#ready.pop();
    const first = lane?.records[lane.next];
    if (lane === undefined || first === undefined) return undefined;
    lane.inCall = 1;
    const { maxRecords, goesAlone } = this.#rules;
    return maxRecords === 1 || goesAlone(first) ? [first] : [first, ...this.#more(lane)];
  }

  /**
   * The records that go with the first record of `lane`. A record that goes alone also keeps later ones of its unit out of the
   * call.
   */
  #more(lane: Lane<R>): readonly R[] {
    const { maxRecords, goesAlone } = this.#rules;
    const more: R[] = [];
    const keptOut: Lane<R>[] = [];
    this.#insert(lane);
    while (more.length < maxRecords - 1) {
      const next = this.#ready.pop();
      const record = next?.records[next.next + next.inCall];
      if (next === undefined || record === undefined) break;
      if (goesAlone(record)) keptOut.push(next);
      else {
        more.push(record);
        next.inCall++;
        this.#insert(next);
      }
    }
    for (const other of keptOut) this.#insert(other);
    this.#ready = this.#ready.filter(({ inCall }) => inCall === 0);
    return more;
  }

  /** The call has ended. A record without an outcome is due again. A record whose outcome does not settle it halts its unit. */
  ended(call: Call<R>, outcomes: Outcomes): void {
    for (const record of call) {
      const lane = this.#laneOf.get(this.#rules.unitOf(record));
      if (lane === undefined || lane.inCall === 0) continue;
      lane.inCall = 0;
      if (!isHalted(lane, outcomes)) this.#insert(lane);
    }
  }

  /** The record and those of its unit that wait for it. */
  waitingFor(record: R): readonly R[] {
    const lane = this.#laneOf.get(this.#rules.unitOf(record));
    return lane === undefined ? [record] : lane.records.slice(lane.next);
  }

  /** No more record starts. */
  stop(): void {
    this.#ready.length = 0;
    this.#laneOf.clear();
  }

  /** Inserts a lane at the place of its next record, if there is one. */
  #insert(lane: Lane<R>): void {
    const offset = nextOffset(lane);
    if (offset === undefined) return;
    let low = 0;
    let high = this.#ready.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((nextOffset(this.#ready[middle]) ?? 0) > offset) low = middle + 1;
      else high = middle;
    }
    if (low === this.#ready.length) this.#ready.push(lane);
    else this.#ready.splice(low, 0, lane);
  }
}

/**
 * Skips settled records. Returns whether the next record stays unsettled in this invocation: then later ones of its unit must
 * wait.
 */
function isHalted<R extends { readonly offset: Offset }>(lane: Lane<R>, outcomes: Outcomes): boolean {
  for (; ; lane.next++) {
    const outcome = outcomes.get(lane.records[lane.next]?.offset ?? -1);
    if (outcome === undefined) return false;
    if (!settles(outcome)) return true;
  }
}

function nextOffset<R extends { readonly offset: Offset }>(lane: Lane<R> | undefined): Offset | undefined {
  return lane?.records[lane.next + lane.inCall]?.offset;
}
