import { isPausedOnly } from '../decide/retry-policy.ts';
import { readThrown } from '../decide/thrown.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Offset } from '../record/units.ts';
import { type CallEnd, callHandler } from './call-handler.ts';
import { Consequences } from './consequences.ts';
import { haltsPartition, unitOf } from './ordering.ts';
import { type Outcome, type Outcomes, settles } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import { type ReadyRecord, readyRecord } from './ready-record.ts';
import { logPause } from './record-log.ts';
import { RecordRunner } from './record-runner.ts';
import { countInterruption } from './try-record.ts';

/** Records for one call of `onBatch`, in offset order, and what is settled along with them as their duplicates. */
interface Call<V> {
  readonly ready: readonly ReadyRecord<V>[];
  readonly duplicates: readonly DeliveredRecord[];
}

/**
 * Runs the open records of a partition through `onBatch`, call after call. Alone goes what has a story (tries, a letter due),
 * what crash isolation tries, and, after a call that failed without naming a record, one record after the other until the one that
 * fails is found: no innocent is blamed. In key order a failed record keeps only its own followers out of later calls.
 */
export class BatchRunner<V> {
  readonly #run: PartitionRun<V>;
  readonly #outcomes: Outcomes;
  readonly #consequences: Consequences<V>;
  readonly #alone: RecordRunner<V>;
  readonly #unitOf: (record: DeliveredRecord) => unknown;
  /** Units that wait for a record that is not settled. */
  readonly #held = new Set<unknown>();
  /** Tries of records that calls named, in this invocation. */
  readonly #tries = new Map<Offset, number>();
  /** Up to where records go one by one, while `progress.oneRecordPerCall` says so. */
  #oneRecordPerCallUntil: Offset;
  /** Into `open`: nothing before it is due again. */
  #cursor = 0;
  #stopped = false;
  #stalled = false;

  constructor(run: PartitionRun<V>, outcomes: Outcomes) {
    this.#run = run;
    this.#outcomes = outcomes;
    this.#consequences = new Consequences(run);
    this.#alone = new RecordRunner(run, this.#consequences);
    this.#unitOf = unitOf(run.consumer.policy.order);
    this.#oneRecordPerCallUntil = run.open.at(-1)?.offset ?? -1;
  }

  async run(): Promise<{ readonly stalled: boolean }> {
    const { session, open } = this.#run;
    while (!this.#stopped && !session.isOver) {
      const first = this.#firstDue();
      if (first === undefined) break;
      if (this.#goesAlone(first)) await this.#runAlone(first);
      else await this.#runCall(first);
    }
    for (const { offset } of open)
      if (!this.#outcomes.has(offset)) this.#outcomes.set(offset, { type: 'notAttempted', reason: 'halted' });
    return { stalled: this.#stalled || this.#alone.stalled };
  }

  #firstDue(): DeliveredRecord | undefined {
    const { open } = this.#run;
    for (; ; this.#cursor++) {
      const record = open[this.#cursor];
      if (record === undefined || this.#isDue(record)) return record;
    }
  }

  #isDue(record: DeliveredRecord): boolean {
    return !this.#outcomes.has(record.offset) && !this.#held.has(this.#unitOf(record));
  }

  #goesAlone({ offset }: DeliveredRecord): boolean {
    const { blockedRecords, isolateUntil, oneRecordPerCall } = this.#run.session.progress;
    const blocked = blockedRecords.get(offset);
    const hasFailed = blocked !== undefined && !isPausedOnly(blocked);
    return isolateUntil !== undefined || oneRecordPerCall === true || hasFailed;
  }

  async #runAlone(record: DeliveredRecord): Promise<void> {
    const outcome = await this.#alone.run(record, this.#tries.get(record.offset));
    this.#ended(record, outcome);
    const { session } = this.#run;
    // The one that failed is found, or all that the failed call held went well.
    const isFound = outcome.type === 'retry' || outcome.type === 'deadLettered';
    if (session.progress.oneRecordPerCall && (isFound || record.offset >= this.#oneRecordPerCallUntil))
      session.update(({ oneRecordPerCall: _, ...progress }) => progress);
  }

  async #runCall(first: DeliveredRecord): Promise<void> {
    const hindrance = await this.#consequences.hindrance(first, 1);
    if (hindrance !== undefined) return this.#ended(first, hindrance);
    const { call, obstacle } = await this.#nextCall();
    if (call.ready.length > 0) await this.#after(call, await callHandler(this.#run, call.ready));
    // What cannot be handed over (no value, a key that another holds) is counted or reported on its own.
    else if (obstacle !== undefined) await this.#runAlone(obstacle);
  }

  /** As many records as one call may have; `obstacle`: the record that ended it, or keeps its unit out of it. */
  async #nextCall(): Promise<{ readonly call: Call<V>; readonly obstacle?: DeliveredRecord }> {
    const { open, keys, consumer } = this.#run;
    const { order, maxBatchRecords } = consumer.policy;
    const ready: ReadyRecord<V>[] = [];
    const duplicates: DeliveredRecord[] = [];
    const offsets = new Set<Offset>();
    const waiting = new Set<unknown>();
    let obstacle: DeliveredRecord | undefined;
    for (let index = this.#cursor; index < open.length && ready.length < maxBatchRecords; index++) {
      const record = open[index] as DeliveredRecord;
      if (!this.#isDue(record) || waiting.has(this.#unitOf(record))) continue;
      const leader = keys?.waitsFor(record);
      if (leader !== undefined && offsets.has(leader.offset) && leader.valueHash === record.valueHash) {
        duplicates.push(record);
        continue;
      }
      const mayGo = leader === undefined && !this.#goesAlone(record);
      const readiness = mayGo ? await readyRecord(this.#run, record) : undefined;
      if (readiness?.type === 'ready') {
        ready.push(readiness);
        offsets.add(record.offset);
      } else if (readiness?.type === 'duplicate') {
        this.#ended(record, await this.#consequences.duplicate(record));
      } else {
        obstacle ??= record;
        if (order === 'partition' || ready.length === 0) break;
        waiting.add(this.#unitOf(record));
      }
    }
    return { call: { ready, duplicates }, ...(obstacle !== undefined && { obstacle }) };
  }

  async #after(call: Call<V>, end: CallEnd): Promise<void> {
    const records = call.ready.map(({ delivered }) => delivered);
    const first = records[0] as DeliveredRecord;
    switch (end.type) {
      case 'succeeded': {
        const outcome = await this.#consequences.handled(records, end.context);
        if (outcome.type !== 'failed') return this.#endedAll(call, records, outcome);
        return this.#failed(call, records.length === 1 ? first : undefined, outcome.error);
      }
      case 'failed':
        return this.#failed(call, this.#culprit(call, end), end.error);
      case 'paused': {
        const culprit = this.#culprit(call, end);
        if (culprit !== undefined && !(await this.#settleBefore(call, culprit))) return;
        logPause(this.#run, culprit ?? first, end.until);
        return this.#ended(culprit ?? first, this.#consequences.paused(culprit ?? first, end));
      }
      case 'stalled':
        return this.#stall(records);
      case 'notTried':
        return this.#ended(first, { type: 'notAttempted', reason: end.reason });
    }
  }

  /**
   * The record that a call names, unless what came before it cannot be settled: nobody knows which records an effect of the
   * failed call belongs to, so none of it is kept.
   */
  #culprit(call: Call<V>, { record, context }: Extract<CallEnd, { readonly type: 'failed' | 'paused' }>) {
    const isBare = context.effects.length === 0 && context.outgoing.length === 0;
    return isBare || call.ready.length === 1 ? record : undefined;
  }

  /** A call failed: its culprit is counted, or found by handing over one record at a time. */
  async #failed(call: Call<V>, culprit: DeliveredRecord | undefined, error: unknown): Promise<void> {
    const { session, ports, consumer, context } = this.#run;
    if (culprit === undefined) {
      this.#oneRecordPerCallUntil = call.ready.at(-1)?.delivered.offset ?? this.#oneRecordPerCallUntil;
      session.update((progress) => ({ ...progress, oneRecordPerCall: true }));
      context.log.warn('a call of onBatch failed as a whole; its records are handed over one at a time', {
        topic: call.ready[0]?.delivered.topic,
        partition: call.ready[0]?.delivered.partition,
        from: call.ready[0]?.delivered.offset,
        records: call.ready.length,
        error: readThrown(error).name,
      });
      await ports.clock.sleep(
        Math.ceil(ports.entropy.random() * consumer.policy.retry.inlineDelayMs),
        session.lost.signal,
      );
      return;
    }
    if (!(await this.#settleBefore(call, culprit))) return;
    const tries = (this.#tries.get(culprit.offset) ?? 0) + 1;
    this.#tries.set(culprit.offset, tries);
    const next = await this.#consequences.failed(culprit, { type: 'failed', error, stage: 'handler' }, tries);
    // Without an outcome a quick try follows: alone, since the record has a story now.
    if (next !== undefined) this.#ended(culprit, next);
  }

  /** Settles what of a call came before `culprit`. `false`: the partition was lost meanwhile. */
  async #settleBefore(call: Call<V>, culprit: DeliveredRecord): Promise<boolean> {
    const limit = culprit.offset;
    const records = call.ready.map(({ delivered }) => delivered).filter(({ offset }) => offset < limit);
    if (records.length === 0) return true;
    const outcome = await this.#consequences.settled(records);
    await this.#endedAll(
      { ready: call.ready, duplicates: call.duplicates.filter(({ offset }) => offset < limit) },
      records,
      outcome,
    );
    return settles(outcome);
  }

  async #endedAll(call: Call<V>, records: readonly DeliveredRecord[], outcome: Outcome): Promise<void> {
    if (!settles(outcome)) return this.#ended(records[0] as DeliveredRecord, outcome);
    for (const record of records) this.#ended(record, outcome);
    for (const record of call.duplicates) this.#ended(record, await this.#consequences.duplicate(record));
  }

  #ended(record: DeliveredRecord, outcome: Outcome): void {
    this.#outcomes.set(record.offset, outcome);
    if (settles(outcome)) return;
    const { keys, open } = this.#run;
    const unit = this.#unitOf(record);
    this.#held.add(unit);
    if (keys !== undefined) for (const other of open) if (this.#unitOf(other) === unit) keys.open(other);
    if (haltsPartition(outcome)) this.#stopped = true;
  }

  /** The call never ended: one record is to blame for that, or crash isolation finds out which. */
  #stall(records: readonly DeliveredRecord[]): void {
    const { session, ports } = this.#run;
    this.#stalled = true;
    this.#stopped = true;
    ports.telemetry.count('HandlersStalled');
    const [first, ...others] = records;
    for (const record of records) this.#ended(record, { type: 'retry' });
    if (first !== undefined && others.length === 0) {
      countInterruption(this.#run, first);
      return;
    }
    const until = records.at(-1)?.offset ?? -1;
    session.update(({ running: _, ...progress }) => ({
      ...progress,
      isolateUntil: Math.max(progress.isolateUntil ?? -1, until),
    }));
  }
}
