import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Offset } from '../record/units.ts';
import { type Outcomes, settles } from './outcome.ts';

/** Records that go to the handler together, in offset order: one, or for `onBatch` several. */
export type Call<R> = readonly [R, ...R[]];

/** Whether there is anything to call the handler with. */
export function isCall<R>(records: readonly R[]): records is Call<R> {
  return records.length > 0;
}

/** How a schedule makes calls. */
export interface ScheduleRules<R> {
  /** Equal for records whose order matters. */
  readonly unitOf: (record: R) => unknown;
  /** Records in one call at most. */
  readonly maxRecords: number;
  /** Whether a record shares its call with no other. */
  readonly goesAlone: (record: R) => boolean;
}

/** The ordering unit of a record: its partition, or its key. A record without a key orders nothing but itself. */
export function orderingUnit(order: 'partition' | 'key'): (record: DeliveredRecord) => unknown {
  return order === 'partition' ? () => '' : (record) => record.encodedKey ?? record;
}

/** The records of one ordering unit, in offset order. */
interface Lane<R> {
  readonly records: R[];
  /** Into `records`: everything before it is settled. */
  next: number;
  /** How many from `next` on are in a call. */
  inCall: number;
}

/**
 * Says which records may go to the handler next: the earliest ones whose ordering unit has nothing running and nothing halted
 * before them. Earliest first, so that what runs ahead of a slow record stays small. It knows no clock and no I/O.
 */
export class Schedule<R extends { readonly offset: Offset }> {
  readonly #rules: ScheduleRules<R>;
  readonly #laneOf = new Map<unknown, Lane<R>>();
  /** Lanes whose next record may start, the earliest last. */
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

  /** The call to make now, `undefined` while none may be made. Calls of several records are made one at a time. */
  next(): Call<R> | undefined {
    const lane = this.#ready.pop();
    const first = lane?.records[lane.next];
    if (lane === undefined || first === undefined) return undefined;
    lane.inCall = 1;
    const { maxRecords, goesAlone } = this.#rules;
    return maxRecords === 1 || goesAlone(first) ? [first] : [first, ...this.#more(lane)];
  }

  /** What goes along with the first record of `lane`. A record that goes alone keeps its unit out of the rest of the call. */
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

  /** The call has ended. A record of it without an outcome is due again; one whose outcome does not settle it halts its unit. */
  ended(call: Call<R>, outcomes: Outcomes): void {
    for (const record of call) {
      const lane = this.#laneOf.get(this.#rules.unitOf(record));
      if (lane === undefined || lane.inCall === 0) continue;
      lane.inCall = 0;
      if (!isHalted(lane, outcomes)) this.#insert(lane);
    }
  }

  /** What waits for `record` in its unit, itself first. */
  waitingFor(record: R): readonly R[] {
    const lane = this.#laneOf.get(this.#rules.unitOf(record));
    return lane === undefined ? [record] : lane.records.slice(lane.next);
  }

  /** Nothing starts any more. */
  stop(): void {
    this.#ready.length = 0;
    this.#laneOf.clear();
  }

  /** Puts a lane where its next record belongs, if there is one. */
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

/** Passes over what is settled. Whether a record that stays unsettled in this invocation comes next: what follows it must wait. */
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
