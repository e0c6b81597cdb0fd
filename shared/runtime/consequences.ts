import { latestStart } from '../decide/deadline.ts';
import { summarizeError } from '../decide/error-summary.ts';
import type { BlockedRecord } from '../decide/progress.ts';
import { backOffMs, pausedRecord } from '../decide/retry-policy.ts';
import { blockedRecordOf, isFull, type Settling, withBlockedRecord } from '../decide/settle.ts';
import type { TransactAction } from '../ports/ledger-store.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { includesOffset } from '../record/offset-ranges.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import { sendLetter } from './dead-letters.ts';
import { effectRefused, passOn, tooLarge } from './effects.ts';
import { countFailure } from './failed-try.ts';
import type { Outcome } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import type { Posting } from './posting.ts';
import type { Failed } from './ready-record.ts';
import type { CollectingContext } from './record-context.ts';

const HANDLED: Outcome = { type: 'handled' };
const DUPLICATE: Outcome = { type: 'duplicate' };

/** What follows from how a try ended: records are settled, counted, given up on, or the partition stands still. */
export class Consequences<V> {
  readonly #run: PartitionRun<V>;
  /** Where gaps are within the batch, else absent. */
  readonly #from: ReadonlyMap<Offset, Offset> | undefined;
  readonly #mark: Settling['mark'];
  /** Into `open`: everything before it is settled. */
  #earliest = 0;

  constructor(run: PartitionRun<V>) {
    this.#run = run;
    const [first] = run.delivered.records;
    this.#mark = first !== undefined && first === run.open[0] && first;
    this.#from = predecessors(run.delivered.records);
  }

  /** Why the record may not start now: lease, time, or no room in the item. */
  hindrance(record: DeliveredRecord, triesHere: number): Promise<Outcome | undefined> | Outcome | undefined {
    const { session, ports, invocation, open } = this.#run;
    const isFirst = record.offset === open[0]?.offset && triesHere === 1;
    const lastMoment = isFirst ? invocation.plan.abortAt : latestStart(invocation.plan, ports.sandbox.longestHandlerMs);
    const now = ports.clock.now();
    if (now >= lastMoment) return { type: 'notAttempted', reason: 'deadline' };
    // Only what is known already and the earliest record, which fills a hole, take no more room; nothing is ever forgotten to make some.
    if (
      !session.isPlain(record.offset) &&
      isFull(session.progress) &&
      !session.progress.blockedRecords.has(record.offset) &&
      !this.#isEarliest(record)
    )
      return { type: 'notAttempted', reason: 'full' };
    if (session.mayStartAt(now)) return undefined;
    return session.mayStart().then((may) => (may ? undefined : { type: 'notAttempted', reason: 'fenced' }));
  }

  /**
   * The handler has done its work for `records`, and wants committed with it what `context` holds: first what it passes on is
   * acknowledged, then its effects are written with the settling.
   */
  handled(
    records: readonly DeliveredRecord[],
    context: CollectingContext,
  ): Promise<Outcome | Failed> | Outcome | Failed {
    return context.isBare ? this.settled(records) : this.#committed(records, context);
  }

  async #committed(
    records: readonly DeliveredRecord[],
    { effects, outgoing }: CollectingContext,
  ): Promise<Outcome | Failed> {
    const { session, keys, ports } = this.#run;
    const posting = effects.length === 0 ? undefined : this.#posting(records, effects);
    const refused = posting === undefined ? undefined : tooLarge(records, posting);
    if (refused !== undefined) return refused;
    if (outgoing.length > 0) {
      const passed = await passOn(this.#run, outgoing);
      if (passed.type === 'unreachable') return this.paused(records[0] as DeliveredRecord, passed);
      if (passed.type === 'failed') return passed;
    }
    if (posting === undefined) return this.settled(records);
    const written = await session.post(posting);
    if (written.type === 'cancelled') return effectRefused(records, written.reasons);
    if (written.type === 'lost') return { type: 'notAttempted', reason: 'fenced' };
    for (const record of records) keys?.handled(record);
    ports.telemetry.count('RecordsHandled', records.length);
    return HANDLED;
  }

  /** The work for `records` is done; written with the next checkpoint. */
  settled(records: readonly DeliveredRecord[]): Promise<Outcome> | Outcome {
    const { session, keys, ports } = this.#run;
    for (const record of records) session.settle(this.#settling(record, 'handled'), keys?.handled(record));
    ports.telemetry.count('RecordsHandled', records.length);
    return this.#afterCheckpoint(HANDLED);
  }

  /** A record whose work was done before. */
  duplicate(record: DeliveredRecord): Promise<Outcome> | Outcome {
    const { session, keys } = this.#run;
    keys?.duplicate(record);
    session.settle(this.#settling(record, 'duplicate'));
    return this.#afterCheckpoint(DUPLICATE);
  }

  /**
   * What `record` needs is overloaded or cannot be reached: the partition stands still, no attempt is counted. The record counts
   * as blocked meanwhile, so that a long pause is seen and rings an alarm.
   */
  paused(record: DeliveredRecord, { until, error }: { readonly until: EpochMs; readonly error: unknown }): Outcome {
    const { session, ports, consumer } = this.#run;
    ports.telemetry.count('PartitionsPaused');
    const summary = summarizeError(error, 'handler', consumer.policy.redact);
    session.update((progress) => ({
      ...withBlockedRecord(
        progress,
        pausedRecord(blockedRecordOf(progress, record), summary, until, ports.clock.now()),
      ),
      pausedUntil: until,
    }));
    return { type: 'notAttempted', reason: 'paused', until };
  }

  /** Counts a failed try. `undefined`: a quick try follows, or the letter. */
  async failed(record: DeliveredRecord, failed: Failed, triesHere: number): Promise<Outcome | undefined> {
    const { session, ports, consumer } = this.#run;
    const failure = countFailure(this.#run, record, failed, triesHere);
    switch (failure.next) {
      case 'retryInline':
        await ports.clock.sleep(
          Math.ceil(ports.entropy.random() * consumer.policy.retry.inlineDelayMs),
          session.lost.signal,
        );
        return undefined;
      case 'retryLater':
        return retryOf(failure.blocked);
      case 'blocked':
        ports.telemetry.count('FloodBreakerOpen');
        return retryOf(failure.blocked);
      case 'giveUp':
        return this.giveUp(record, failed.error);
    }
  }

  /**
   * The record gets its letter. It is marked before, so that it never meets its handler again: after a crash only the letter is
   * repeated. It counts as settled after the letter is acknowledged, and not before.
   */
  async giveUp(record: DeliveredRecord, error: unknown): Promise<Outcome> {
    const { session, ports, keys, consumer } = this.#run;
    if (!blockedRecordOf(session.progress, record).exhausted) {
      session.update(({ running: _, ...progress }) =>
        withBlockedRecord(progress, { ...blockedRecordOf(progress, record), exhausted: true }),
      );
      const marked = await session.write();
      if (marked.type !== 'written') return { type: 'notAttempted', reason: 'fenced' };
    }
    const blocked = blockedRecordOf(session.progress, record);
    const letter = await sendLetter(this.#run, record, blocked, error);
    if (letter.type === 'refused') {
      const notBefore =
        ports.clock.now() + Math.ceil(backOffMs(blocked.attempts, consumer.policy.retry, ports.entropy.random()));
      return { type: 'retry', notBefore };
    }
    await keys?.deadLettered(record);
    session.settle(this.#settling(record, 'deadLettered'));
    ports.telemetry.count('RecordsDeadLettered');
    return this.#afterCheckpoint({ type: 'deadLettered', deadLetterId: letter.id });
  }

  /** Whether nothing before `record` is open. */
  #isEarliest(record: DeliveredRecord): boolean {
    const { open, session } = this.#run;
    for (; ; this.#earliest++) {
      const candidate = open[this.#earliest];
      if (candidate === undefined || !includesOffset(session.progress.settled, candidate.offset))
        return candidate === record;
    }
  }

  #posting(records: readonly DeliveredRecord[], effects: readonly TransactAction[]): Posting {
    const { keys } = this.#run;
    return {
      settlings: records.map((record) => this.#settling(record, 'handled')),
      completions: keys === undefined ? [] : records.flatMap((record) => keys.completion(record) ?? []),
      effects,
    };
  }

  #afterCheckpoint(outcome: Outcome): Promise<Outcome> | Outcome {
    const { consumer, session } = this.#run;
    return consumer.policy.checkpointMs === 'record' ? session.write().then(() => outcome) : outcome;
  }

  #settling(record: DeliveredRecord, outcome: Settling['outcome']): Settling {
    const from = this.#from?.get(record.offset) ?? record.offset;
    return { record, from, mark: this.#mark, outcome };
  }
}

/** First offset that each record settles, for a batch with gaps: what is absent within it does not exist (compaction, transaction markers). */
function predecessors(records: readonly DeliveredRecord[]): ReadonlyMap<Offset, Offset> | undefined {
  const first = records[0]?.offset ?? 0;
  const last = records.at(-1)?.offset ?? -1;
  if (last - first + 1 === records.length) return undefined;
  const from = new Map<Offset, Offset>();
  let previous: Offset | undefined;
  for (const { offset } of records) {
    from.set(offset, previous === undefined ? offset : previous + 1);
    previous = offset;
  }
  return from;
}

function retryOf({ notBefore }: BlockedRecord): Outcome {
  return { type: 'retry', ...(notBefore !== undefined && { notBefore }) };
}
