import { type BatchPart, Loading, type Offer } from './loading.ts';
import type { MappingRules } from './mapping-rules.ts';
import type { Discard, PartitionQueue, PollerState, QueuedRecord, Run } from './partition-queue.ts';
import { withQueues } from './partition-queue.ts';

/** One event. Its partitions are in flight until `afterOutcome`. */
export interface Batch<R extends QueuedRecord> {
  /** Unique in its poller. */
  readonly id: number;
  readonly parts: readonly BatchPart<R>[];
  readonly recordCount: number;
  /** Length of the event's JSON. */
  readonly bytes: number;
  /** Whether it was sent before, wholly or in part. */
  readonly resent: boolean;
}

/** @property discards - to be delivered to the destination, or dropped; then `afterDelivery` */
export type NextBatch<R extends QueuedRecord> =
  | {
      readonly type: 'send';
      readonly state: PollerState<R>;
      readonly batch: Batch<R>;
      readonly discards: readonly Discard<R>[];
    }
  | {
      readonly type: 'wait';
      readonly state: PollerState<R>;
      /** Ask again then, or after a fetch or an outcome; `Infinity` if only those can change the answer. */
      readonly untilMs: number;
      readonly discards: readonly Discard<R>[];
    };

/**
 * The next event of a poller. Partitions with a batch in flight take no part; retries travel with retries, new records
 * with new ones; an event closes at the batch size, the byte limit or the end of the batching window, whichever is first.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
 *
 * Several invocations at once are the caller's choice: it asks again as long as the answer is `send`.
 */
export function nextBatch<R extends QueuedRecord>(
  state: PollerState<R>,
  nowMs: number,
  rules: MappingRules,
): NextBatch<R> {
  const offers: Offer<R>[] = [];
  for (const queue of state.queues.values()) {
    const offer = queue.inFlight ? undefined : offerOf(queue, nowMs);
    if (offer) offers.push(offer);
  }
  const full = windowCloses(offers, rules);
  const dueMs = (offer: Offer<R>) =>
    offer.retry.length > 0 || full ? offer.readyMs : offer.readyMs + rules.batchingWindowMs;

  offers.sort((a, b) => dueMs(a) - dueMs(b));
  const seed = offers[0];
  if (!seed || dueMs(seed) > nowMs) {
    const untilMs = offers.reduce((soonest, { wakeMs }) => Math.min(soonest, wakeMs), seed ? dueMs(seed) : Infinity);
    return { type: 'wait', state, untilMs, discards: [] };
  }
  const loading = new Loading<R>(nowMs, rules);
  for (const offer of offers) {
    if (loading.closed) break;
    if (travelsWith(offer, seed) && offer.readyMs <= nowMs) loading.take(offer, state.batches);
  }
  const { discards } = loading;
  const next = { ...withQueues(state, loading.changed), batches: state.batches + 1 };
  if (loading.parts.length === 0) {
    const rest = nextBatch(next, nowMs, rules);
    return { ...rest, discards: [...discards, ...rest.discards] };
  }
  const { parts, records: recordCount, bytes } = loading;
  const batch = { id: state.batches, parts, recordCount, bytes, resent: seed.retry.length > 0 };
  return { type: 'send', state: next, batch, discards };
}

/** Runs that block keep their order: only the first of them may go. Those that do not block go as they fall due. */
function offerOf<R extends QueuedRecord>(queue: PartitionQueue<R>, nowMs: number): Offer<R> | undefined {
  const { retries, waiting, readySinceMs } = queue;
  const blocker = retries.find(({ blocking }) => blocking);
  let next: Run<R> | undefined;
  for (const run of retries) {
    if ((run === blocker || !run.blocking) && (!next || run.notBeforeMs < next.notBeforeMs)) next = run;
  }
  if (next && (next.notBeforeMs <= nowMs || blocker || waiting.length === 0)) {
    return { queue, readyMs: next.notBeforeMs, retry: companions(retries, next), wakeMs: next.notBeforeMs };
  }
  if (waiting.length === 0) return undefined;
  return { queue, readyMs: readySinceMs, retry: [], wakeMs: next?.notBeforeMs ?? Number.POSITIVE_INFINITY };
}

/** The run with those of its partition that go in the same event: its cohort, or what a resumed partition has before it. */
function companions<R extends QueuedRecord>(retries: readonly Run<R>[], run: Run<R>): readonly Run<R>[] {
  if (!run.blocking) return [run];
  return retries.filter((other) => other.blocking && other.cohort === run.cohort);
}

function windowCloses<R extends QueuedRecord>(offers: readonly Offer<R>[], rules: MappingRules): boolean {
  let records = 0;
  let bytes = rules.envelopeBytes;
  for (const { queue, retry } of offers) {
    if (retry.length > 0) continue;
    records += queue.waiting.length;
    bytes += queue.waitingBytes;
  }
  return records >= rules.batchSize || bytes >= rules.maxEventBytes;
}

function travelsWith<R extends QueuedRecord>(offer: Offer<R>, seed: Offer<R>): boolean {
  const [a] = offer.retry;
  const [b] = seed.retry;
  return a && b ? a.cohort === b.cohort : a === b;
}
