import type { ParkedPlace, Progress } from '../../shared/decide/progress.ts';
import type { OffsetRanges } from '../../shared/record/offset-ranges.ts';
import type { HistoryEvent, SimInvocation } from './history.ts';
import type { LogRecord } from './kafka-log.ts';

/** A run of a handler that is under way. */
export interface LiveRun {
  readonly invocation: SimInvocation;
  readonly record: LogRecord;
}

/** A run that succeeded. */
interface HandledRun {
  readonly at: number;
  readonly by: SimInvocation;
  readonly call: readonly LogRecord[];
}

/** What is so, whatever the ledger says: kept from the history, by code that the runtime does not share. */
export class Truth {
  generation = 0;
  /** Every record of the run by partition, in the order of creation. */
  readonly all = new Map<string, LogRecord[]>();
  readonly delivered = new Set<LogRecord>();
  /** In a batch whose claim was granted: since when, last. */
  readonly claimed = new Map<LogRecord, number>();
  /** The last run that succeeded. */
  readonly handled = new Map<LogRecord, HandledRun>();
  readonly lettered = new Map<LogRecord, Set<string>>();
  /** Its settling was written to the ledger. */
  readonly recorded = new Set<LogRecord>();
  /** Delivered, not yet recorded. */
  readonly open = new Map<string, Set<LogRecord>>();
  /** Nobody has to do anything for it any more: retention took it, or the topic is another. */
  readonly excused = new Set<LogRecord>();
  /** Given to the relay. */
  readonly abandoned = new Set<LogRecord>();
  /** An operator let it run again. */
  readonly replayed = new Set<LogRecord>();
  /** On the other topic. */
  readonly produced = new Set<LogRecord>();
  readonly effects = new Map<LogRecord, number>();
  readonly live = new Set<LiveRun>();
  /** Which record has which ordinal of a sequence, and the place of each. */
  readonly assigned = new Map<string, Map<number, LogRecord>>();
  readonly placeOf = new Map<LogRecord, ParkedPlace>();
  /** Earlier records of the partition that no claim had held when a record parked. */
  readonly #unclaimedBefore = new Map<LogRecord, ReadonlySet<LogRecord>>();
  /** It waits in a parked key. */
  readonly waiting = new Set<LogRecord>();
  /** Its letter under its ordinal is written somewhere. */
  readonly keptParked = new Set<LogRecord>();
  /** An operator gave up on it. */
  readonly dropped = new Set<LogRecord>();
  readonly #refused = new Map<LogRecord, HandledRun>();
  /** Whatever an operator let run again. */
  readonly #everHandled = new Set<LogRecord>();
  readonly #byKey = new Map<string, LogRecord[]>();

  add(record: LogRecord): void {
    this.partition(record.place).push(record);
    const same = this.#byKey.get(record.idempotencyKey);
    if (same === undefined) this.#byKey.set(record.idempotencyKey, [record]);
    else same.push(record);
  }

  partition(place: string): LogRecord[] {
    const known = this.all.get(place);
    if (known !== undefined) return known;
    const records: LogRecord[] = [];
    this.all.set(place, records);
    return records;
  }

  /** Every record with the same idempotency key, itself included. */
  namesakes(record: LogRecord): readonly LogRecord[] {
    return this.#byKey.get(record.idempotencyKey) ?? [];
  }

  /** Needs no more work. */
  isDone(record: LogRecord): boolean {
    return (
      this.handled.has(record) ||
      this.lettered.has(record) ||
      this.excused.has(record) ||
      this.dropped.has(record) ||
      this.isDuplicate(record)
    );
  }

  /** `record` parked before the mapping brought `earlier`, which waits behind it: docs/guarantees.md, promise 10. */
  parkedFirst(record: LogRecord, earlier: LogRecord): boolean {
    return this.#unclaimedBefore.get(record)?.has(earlier) ?? false;
  }

  /** Needs no more of the partition: what is parked is the business of a release. */
  isPassed(record: LogRecord): boolean {
    return this.isDone(record) || this.keptParked.has(record);
  }

  /** Another record with its key and its content was handled. */
  isDuplicate(record: LogRecord): boolean {
    return this.namesakes(record).some(
      (other) => other !== record && other.content === record.content && this.#everHandled.has(other),
    );
  }

  #hasEnded(record: LogRecord): boolean {
    return this.handled.has(record) || this.lettered.has(record);
  }

  observe(event: HistoryEvent, at: number): void {
    switch (event.type) {
      case 'sent':
        for (const records of event.invocation.parts.values()) for (const record of records) this.#deliver(record);
        break;
      case 'parked':
        this.#parked(event);
        break;
      case 'changed':
        for (const { parked, offset } of marksIn(event.after.progress)) this.#assign(event, parked, offset);
        if (event.after.epoch > (event.before?.epoch ?? 0)) this.#claim(event, at);
        else {
          this.#forgive(this.forgottenBy(event));
          for (const record of this.newlyRecorded(event.place, event.generation, event.after.progress.settled)) {
            if (!this.waiting.has(record)) this.recorded.add(record);
            this.open.get(event.place)?.delete(record);
          }
        }
        break;
      case 'started':
        this.live.add({ invocation: event.invocation, record: event.record });
        break;
      case 'ended':
        for (const run of this.live)
          if (run.invocation === event.invocation && run.record === event.record) this.live.delete(run);
        if (event.how === 'succeeded') {
          // What is written as settled stays so, whatever becomes of one that lost the partition and comes to an end at last.
          if (!(this.recorded.has(event.record) && this.handled.has(event.record)))
            this.handled.set(event.record, { at, by: event.invocation, call: event.call ?? [event.record] });
          this.#everHandled.add(event.record);
        }
        break;
      case 'letter': {
        if (event.parked !== undefined) {
          // Of equal ordinals the first letter counts.
          if (event.isGone && !this.keptParked.has(event.record)) this.excused.add(event.record);
          this.keptParked.add(event.record);
          break;
        }
        const ids = this.lettered.get(event.record);
        if (ids === undefined) this.lettered.set(event.record, new Set([event.id]));
        else ids.add(event.id);
        break;
      }
      case 'effect':
        this.effects.set(event.record, (this.effects.get(event.record) ?? 0) + 1);
        // The same transaction, refused once, may be repeated when its answer was lost.
        this.#unrefuse(event.record);
        break;
      case 'produced':
        this.produced.add(event.record);
        break;
      case 'notProduced':
        // Another invocation may have done it all meanwhile.
        if (this.handled.get(event.record)?.by !== event.invocation) break;
        for (const record of this.handled.get(event.record)?.call ?? []) this.#refuse(record);
        break;
      case 'effectRefused': {
        for (const record of this.handled.get(event.record)?.call ?? []) this.#refuse(record);
        break;
      }
      case 'abandoned':
        for (const record of this.at(event.place, event.offsets)) this.abandoned.add(record);
        break;
      case 'decided':
        this.#decide(event);
        break;
      case 'vanished':
        this.excused.add(event.record);
        break;
      case 'recreated':
        this.generation = event.generation;
        for (const open of this.open.values()) open.clear();
        break;
    }
  }

  /** Records of the topic's present life at these offsets. */
  at(place: string, offsets: readonly number[]): LogRecord[] {
    return this.partition(place).filter(
      ({ generation, offset }) => generation === this.generation && offsets.includes(offset),
    );
  }

  /**
   * Delivered records that a write records as settled, and no earlier one did. Of a recreated topic only what is done: an offset
   * may stand there from the life before, and that counts when the record comes and is skipped, which shows at the end.
   */
  newlyRecorded(place: string, generation: number, settled: OffsetRanges): LogRecord[] {
    const open = this.open.get(place);
    if (open === undefined || open.size === 0 || settled.length === 0) return [];
    return [...open].filter(
      (record) =>
        record.generation === generation &&
        isIn(settled, record.offset) &&
        (generation === 0 || this.#hasEnded(record)),
    );
  }

  /**
   * What of a recreated topic's new life a write forgets: it ran, or was tried, before anything gave the new life away, as
   * docs/how-it-is-tested.md says. In the topic's first life nothing is ever forgotten.
   */
  forgottenBy({ place, generation, before, after }: Extract<HistoryEvent, { type: 'changed' }>): readonly LogRecord[] {
    if (generation === 0) return [];
    const { settled, blockedRecords, floor = 0 } = after.progress;
    return this.partition(place).filter(
      (record) =>
        record.generation === generation &&
        record.offset >= floor &&
        !isIn(settled, record.offset) &&
        (this.recorded.has(record) ||
          (before?.progress.blockedRecords.has(record.offset) && !blockedRecords.has(record.offset))),
    );
  }

  /** Records whose place a write of a parked key ends: from the first ordinal it settles to the last. */
  endedBy({ before, after }: Extract<HistoryEvent, { type: 'parked' }>): readonly LogRecord[] {
    if (before === undefined) return [];
    const from = settledTo(before.progress) + 1;
    const to = after === undefined ? before.tail : settledTo(after.progress);
    const places = this.assigned.get(before.sequence);
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => places?.get(from + index)).filter(
      (record) => record !== undefined,
    );
  }

  #parked(event: Extract<HistoryEvent, { type: 'parked' }>): void {
    for (const record of this.endedBy(event)) {
      this.waiting.delete(record);
      if (event.by.type === 'operator') this.dropped.add(record);
      else this.recorded.add(record);
    }
  }

  #assign({ place, generation }: { place: string; generation: number }, parked: ParkedPlace, offset: number): void {
    const known = this.assigned.get(parked.sequence) ?? new Map<number, LogRecord>();
    this.assigned.set(parked.sequence, known);
    if (known.has(parked.ordinal)) return;
    const record = this.partition(place).find((one) => one.offset === offset && one.generation === generation);
    if (record === undefined) return;
    known.set(parked.ordinal, record);
    this.placeOf.set(record, parked);
    const unclaimed = this.partition(place).filter((other) => other.offset < offset && !this.claimed.has(other));
    this.#unclaimedBefore.set(record, new Set(unclaimed));
    this.waiting.add(record);
  }

  /** They may run again; whether they do is the mapping's affair. */
  #forgive(records: readonly LogRecord[]): void {
    // What is forgotten may park a second time, too.
    for (const record of records.filter((known) => this.isDone(known) || this.waiting.has(known)))
      this.excused.add(record);
    for (const record of records) {
      this.recorded.delete(record);
      this.lettered.delete(record);
      this.handled.delete(record);
      this.effects.delete(record);
      if (this.delivered.has(record)) this.#deliver(record);
    }
  }

  #refuse(record: LogRecord): void {
    const run = this.handled.get(record);
    if (run !== undefined) this.#refused.set(record, run);
    this.handled.delete(record);
    this.#everHandled.delete(record);
  }

  #unrefuse(record: LogRecord): void {
    const run = this.#refused.get(record);
    if (run !== undefined && !this.handled.has(record)) {
      this.handled.set(record, run);
      this.#everHandled.add(record);
    }
  }

  #deliver(record: LogRecord): void {
    this.delivered.add(record);
    if (this.recorded.has(record)) return;
    const open = this.open.get(record.place);
    if (open === undefined) this.open.set(record.place, new Set([record]));
    else open.add(record);
  }

  #claim({ by, place }: Extract<HistoryEvent, { type: 'changed' }>, at: number): void {
    if (by.type !== 'invocation') return;
    for (const record of by.invocation.parts.get(place) ?? []) this.claimed.set(record, at);
  }

  #decide({ place, command, below, settled }: Extract<HistoryEvent, { type: 'decided' }>): void {
    if (command === 'skip') return;
    const forgiven = this.partition(place).filter(
      ({ offset, generation }) =>
        (command === 'reset' || offset < below) && generation === this.generation && !isIn(settled, offset),
    );
    this.#forgive(forgiven);
    for (const record of forgiven) {
      this.replayed.add(record);
      this.claimed.delete(record);
    }
  }
}

/** Marks with a place in a parked key. */
export function marksIn({ blockedRecords, goneMarks = [] }: Progress): { parked: ParkedPlace; offset: number }[] {
  return [...blockedRecords.values(), ...goneMarks].flatMap(({ parked, offset }) =>
    parked === undefined ? [] : [{ parked, offset }],
  );
}

export function settledTo({ settled }: Progress): number {
  return settled[0]?.from === 1 ? settled[0].to : 0;
}

function isIn(ranges: OffsetRanges, offset: number): boolean {
  return ranges.some(({ from, to }) => from <= offset && offset <= to);
}
