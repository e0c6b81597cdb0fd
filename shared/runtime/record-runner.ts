import { decideStart, isBreakerOpen, type Start } from '../decide/retry-policy.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { TryEnd } from './call-handler.ts';
import { Consequences } from './consequences.ts';
import type { Outcome } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import type { Failed } from './ready-record.ts';
import { logPause } from './record-log.ts';
import { countInterruption, tryRecord } from './try-record.ts';

/** A record of which nothing is known. */
const RUN: Start = { type: 'run' };

/** Takes the records of a claimed partition, one at a time or side by side, from their turn to an outcome. */
export class RecordRunner<V> {
  /** A handler runs on that should have ended: nothing is released. */
  stalled = false;
  readonly #run: PartitionRun<V>;
  readonly #consequences: Consequences<V>;

  constructor(run: PartitionRun<V>, consequences: Consequences<V> = new Consequences(run)) {
    this.#run = run;
    this.#consequences = consequences;
  }

  /**
   * Runs `record` until it is settled or halted, or this invocation has no time for it.
   *
   * @param triesBefore - tries of it in this invocation, in an `onBatch` call that named it
   */
  async run(record: DeliveredRecord, triesBefore = 0): Promise<Outcome> {
    const { session } = this.#run;
    const consequences = this.#consequences;
    let lastError: unknown;
    for (let triesHere = triesBefore + 1; ; triesHere++) {
      const start = session.isPlain(record.offset) ? RUN : this.#start(record);
      if (start.type === 'backOff') return { type: 'notAttempted', reason: 'backOff', until: start.until };
      if (start.type === 'giveUp') return consequences.giveUp(record, lastError);
      const looking = consequences.hindrance(record, triesHere);
      const hindrance = looking instanceof Promise ? await looking : looking;
      if (hindrance !== undefined) return hindrance;
      const trying = tryRecord(this.#run, record);
      const concluding = this.#after(record, trying instanceof Promise ? await trying : trying);
      const outcome = concluding instanceof Promise ? await concluding : concluding;
      if (outcome.type !== 'failed') return outcome;
      const next = await consequences.failed(record, outcome, triesHere);
      if (next !== undefined) return next;
      lastError = outcome.error;
    }
  }

  #start(record: DeliveredRecord): Start {
    const { session, ports, consumer } = this.#run;
    const { retry } = consumer.policy;
    const { blockedRecords, consecutiveDeadLetters } = session.progress;
    const breakerOpen = isBreakerOpen(consecutiveDeadLetters, retry);
    return decideStart(blockedRecords.get(record.offset), retry, breakerOpen, ports.clock.now());
  }

  #after(record: DeliveredRecord, end: TryEnd): Promise<Outcome | Failed> | Outcome | Failed {
    switch (end.type) {
      case 'succeeded':
        return this.#consequences.handled([record], end.context);
      case 'duplicate':
        return this.#consequences.duplicate(record);
      case 'failed':
        return end;
      case 'paused':
        logPause(this.#run, record, end.until);
        return this.#consequences.paused(record, end);
      case 'stalled':
        this.stalled = true;
        this.#run.ports.telemetry.count('HandlersStalled');
        countInterruption(this.#run, record);
        return { type: 'retry' };
      case 'notTried':
        return { type: 'notAttempted', reason: end.reason };
    }
  }
}
