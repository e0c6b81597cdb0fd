import { latestStart } from '../decide/deadline.ts';
import { summarizeError } from '../decide/error-summary.ts';
import { fingerprint } from '../decide/fingerprint.ts';
import type { Head } from '../decide/progress.ts';
import { backOffMs, decideFailure, decideStart, type ErrorClass, isBreakerOpen } from '../decide/retry-policy.ts';
import { headOf, isFull, type Settling, withHead } from '../decide/settle.ts';
import { LockstepError, NonRetryableError } from '../errors.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Offset } from '../record/units.ts';
import { sendLetter } from './dead-letters.ts';
import { effectRefused, passOn } from './effects.ts';
import type { Outcome } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import { recordLog } from './record-log.ts';
import { countInterruption, type TryEnd, tryRecord } from './try-record.ts';

type Failed = Extract<TryEnd, { readonly type: 'failed' }>;

/** Takes the records of a claimed partition, one at a time or side by side, from their turn to an outcome. */
export class RecordRunner<V> {
  /** A handler runs on that should have ended: nothing is released. */
  stalled = false;
  readonly #run: PartitionRun<V>;
  readonly #from = new Map<Offset, Offset>();

  constructor(run: PartitionRun<V>) {
    this.#run = run;
    let previous: Offset | undefined;
    for (const { offset } of run.delivered.records) {
      // What is absent within one delivered batch does not exist: compaction, transaction markers.
      this.#from.set(offset, previous === undefined ? offset : previous + 1);
      previous = offset;
    }
  }

  /** Runs `record` until it is settled or halted, or this invocation has no time for it. */
  async run(record: DeliveredRecord): Promise<Outcome> {
    const { session, ports, consumer, keys } = this.#run;
    const { retry } = consumer.policy;
    let lastError: unknown;
    for (let triesHere = 1; ; triesHere++) {
      const { heads, consecutiveDeadLetters } = session.progress;
      const start = decideStart(
        heads.get(record.offset),
        retry,
        isBreakerOpen(consecutiveDeadLetters, retry),
        ports.clock.now(),
      );
      if (start.type === 'backOff') return { type: 'notAttempted', reason: 'backOff', until: start.until };
      if (start.type === 'giveUp') return this.#giveUp(record, lastError);
      const hindrance = await this.#hindrance(record, triesHere);
      if (hindrance !== undefined) return hindrance;
      const end = await tryRecord(this.#run, record);
      switch (end.type) {
        case 'succeeded': {
          const outcome = await this.#succeed(record, end);
          if (outcome.type !== 'failed') return outcome;
          const next = await this.#fail(record, outcome, triesHere);
          if (next !== undefined) return next;
          lastError = outcome.error;
          break;
        }
        case 'duplicate':
          keys?.duplicate(record);
          await this.#settle(record, 'duplicate');
          return { type: 'duplicate' };
        case 'failed': {
          const next = await this.#fail(record, end, triesHere);
          if (next !== undefined) return next;
          lastError = end.error;
          break;
        }
        case 'paused':
          ports.telemetry.count('PartitionsPaused');
          session.update((progress) => ({ ...progress, pausedUntil: end.until }));
          return { type: 'notAttempted', reason: 'paused', until: end.until };
        case 'stalled':
          this.stalled = true;
          ports.telemetry.count('HandlersStalled');
          countInterruption(this.#run, record);
          return { type: 'retry' };
        case 'notTried':
          return { type: 'notAttempted', reason: end.reason };
      }
    }
  }

  /** Why the record may not start now: lease, time, or no room in the item. */
  async #hindrance(record: DeliveredRecord, triesHere: number): Promise<Outcome | undefined> {
    const { session, ports, invocation, open } = this.#run;
    const isFirst = record.offset === open[0]?.offset && triesHere === 1;
    const lastMoment = isFirst ? invocation.plan.abortAt : latestStart(invocation.plan, ports.sandbox.longestHandlerMs);
    if (ports.clock.now() >= lastMoment) return { type: 'notAttempted', reason: 'deadline' };
    // Only the earliest record makes room again; nothing is ever forgotten to make some.
    if (!isFirst && isFull(session.progress) && !session.progress.heads.has(record.offset))
      return { type: 'notAttempted', reason: 'full' };
    if (session.mayStartNow || (await session.mayStart())) return undefined;
    return { type: 'notAttempted', reason: 'fenced' };
  }

  async #succeed(
    record: DeliveredRecord,
    { context }: Extract<TryEnd, { readonly type: 'succeeded' }>,
  ): Promise<Outcome | Failed> {
    const { session, keys, ports } = this.#run;
    if (context.outgoing.length > 0) {
      const refused = await passOn(this.#run, context.outgoing);
      if (refused !== undefined) return refused;
    }
    if (context.effects.length > 0) {
      const completion = keys?.completion(record);
      const written = await session.settleWith(this.#settling(record, 'handled'), completion, context.effects);
      if (written.type === 'cancelled') return effectRefused(record, written.reasons);
      if (written.type === 'lost') return { type: 'notAttempted', reason: 'fenced' };
      keys?.handled(record);
    } else {
      await this.#settle(record, 'handled');
    }
    ports.telemetry.count('RecordsHandled');
    return { type: 'handled' };
  }

  /** Counts a failed try. `undefined`: a quick try follows, or the letter. */
  async #fail(
    record: DeliveredRecord,
    { error, stage, errorClass }: Failed,
    triesHere: number,
  ): Promise<Outcome | undefined> {
    const { session, ports, consumer, context } = this.#run;
    const { retry, redact } = consumer.policy;
    const summary = summarizeError(error, stage, redact);
    const head = headOf(session.progress, record);
    const breakerOpen = isBreakerOpen(session.progress.consecutiveDeadLetters, retry);
    const failure = decideFailure(
      {
        head,
        errorClass: errorClass ?? classify(error, retry.classify),
        error: summary,
        fingerprint: fingerprint(summary),
        triesHere,
        now: ports.clock.now(),
        random: ports.entropy.random(),
      },
      retry,
      breakerOpen,
    );
    session.update((progress) => withHead(progress, failure.head));
    ports.telemetry.count('AttemptsFailed');
    recordLog(context.log, record, failure.head.attempts, context.requestId).warn('record failed', {
      stage,
      error: summary.name,
      text: summary.text,
      next: failure.next,
    });
    switch (failure.next) {
      case 'retryInline':
        await ports.clock.sleep(Math.ceil(ports.entropy.random() * retry.inlineDelayMs), session.lost.signal);
        return undefined;
      case 'retryLater':
        return retryOf(failure.head);
      case 'blocked':
        ports.telemetry.count('FloodBreakerOpen');
        return retryOf(failure.head);
      case 'giveUp':
        return this.#giveUp(record, error);
    }
  }

  /**
   * The record gets its letter. It is marked before, so that it never meets its handler again: after a crash only the letter is
   * repeated. It counts as settled after the letter is acknowledged, and not before.
   */
  async #giveUp(record: DeliveredRecord, error: unknown): Promise<Outcome> {
    const { session, ports, keys, consumer } = this.#run;
    if (!headOf(session.progress, record).exhausted) {
      session.update(({ running: _, ...progress }) =>
        withHead(progress, { ...headOf(progress, record), exhausted: true }),
      );
      const marked = await session.write();
      if (marked.type !== 'written') return { type: 'notAttempted', reason: 'fenced' };
    }
    const head = headOf(session.progress, record);
    const letter = await sendLetter(this.#run, record, head, error);
    if (letter.type === 'refused') {
      const notBefore =
        ports.clock.now() + Math.ceil(backOffMs(head.attempts, consumer.policy.retry, ports.entropy.random()));
      return { type: 'retry', notBefore };
    }
    await keys?.deadLettered(record);
    session.settle(this.#settling(record, 'deadLettered'));
    await this.#recordCheckpoint();
    ports.telemetry.count('RecordsDeadLettered');
    return { type: 'deadLettered', letterId: letter.id };
  }

  async #settle(record: DeliveredRecord, outcome: 'handled' | 'duplicate'): Promise<void> {
    const { session, keys } = this.#run;
    session.settle(this.#settling(record, outcome), outcome === 'handled' ? keys?.handled(record) : undefined);
    await this.#recordCheckpoint();
  }

  async #recordCheckpoint(): Promise<void> {
    if (this.#run.consumer.policy.checkpointMs === 'record') await this.#run.session.write();
  }

  #settling(record: DeliveredRecord, outcome: Settling['outcome']): Settling {
    const from = this.#from.get(record.offset) ?? record.offset;
    return { record, from, mark: record.offset === this.#run.delivered.records[0]?.offset, outcome };
  }
}

function retryOf({ notBefore }: Head): Outcome {
  return { type: 'retry', ...(notBefore !== undefined && { notBefore }) };
}

function classify(error: unknown, own: ((error: unknown) => ErrorClass | undefined) | undefined): ErrorClass {
  const said = own?.(error);
  if (said !== undefined) return said;
  if (error instanceof NonRetryableError) return 'nonRetryable';
  return error instanceof LockstepError && !error.retryable ? 'nonRetryable' : 'retryable';
}
