import type { Offset } from '../record/units.ts';

/** An ordering unit: its records in offset order, the first of them next. */
interface Lane<R> {
  readonly records: R[];
  next: number;
}

/**
 * Says which record may start next: the earliest one whose unit has nothing running and nothing halted before it. Earliest
 * first, so that what runs ahead of a slow record stays small.
 */
export class Schedule<R extends { readonly offset: Offset }> {
  readonly #laneOf = new Map<unknown, Lane<R>>();
  /** Lanes whose next record may start, the earliest last. */
  readonly #ready: Lane<R>[] = [];
  readonly #unitOf: (record: R) => unknown;

  /**
   * @param records - in offset order
   * @param unitOf - equal for records of one unit
   */
  constructor(records: readonly R[], unitOf: (record: R) => unknown) {
    this.#unitOf = unitOf;
    for (const record of records) {
      const unit = unitOf(record);
      const lane = this.#laneOf.get(unit);
      if (lane !== undefined) lane.records.push(record);
      else {
        const opened = { records: [record], next: 0 };
        this.#laneOf.set(unit, opened);
        this.#ready.push(opened);
      }
    }
    this.#ready.reverse();
  }

  /** The record to start now, `undefined` while none may. */
  next(): R | undefined {
    const lane = this.#ready.pop();
    return lane?.records[lane.next];
  }

  /** `record` is settled: its unit goes on. */
  settled(record: R): void {
    const lane = this.#laneOf.get(this.#unitOf(record));
    if (lane === undefined || ++lane.next >= lane.records.length) return;
    const offset = offsetOf(lane);
    let low = 0;
    let high = this.#ready.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (offsetOf(this.#ready[middle]) > offset) low = middle + 1;
      else high = middle;
    }
    this.#ready.splice(low, 0, lane);
  }

  /** What waits for `record` in its unit, itself first. */
  waitingFor(record: R): readonly R[] {
    const lane = this.#laneOf.get(this.#unitOf(record));
    return lane === undefined ? [record] : lane.records.slice(lane.next);
  }

  /** Nothing starts any more. */
  stop(): void {
    this.#ready.length = 0;
    this.#laneOf.clear();
  }
}

function offsetOf<R extends { readonly offset: Offset }>(lane: Lane<R> | undefined): Offset {
  return lane?.records[lane.next]?.offset ?? Number.POSITIVE_INFINITY;
}
