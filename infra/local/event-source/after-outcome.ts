import type { MappingRules } from './mapping-rules.ts';
import type { Batch } from './next-batch.ts';
import type { Discard, InFlight, PartitionQueue, PollerState, QueuedRecord, Run } from './partition-queue.ts';
import { withQueues } from './partition-queue.ts';
import type { InvocationOutcome, ReportedFailure } from './read-answer.ts';

/**
 * @property discards - to be delivered to the destination, or dropped; then `afterDelivery`
 * @property failedCount - records of the event that failed, by an error or by being reported
 */
export interface AfterOutcome<R extends QueuedRecord> {
  readonly state: PollerState<R>;
  readonly discards: readonly Discard<R>[];
  readonly failedCount: number;
}

/** What comes back of an event: the whole event, its halves, or the reported records of each partition. */
type Resend =
  | { readonly type: 'nothing' }
  | { readonly type: 'whole'; readonly counted: boolean; readonly halves: boolean }
  | { readonly type: 'reported'; readonly offsets: ReadonlyMap<string, ReadonlySet<number>> };

/**
 * The poller's state after an invocation. Succeeded records are removed. The others wait to be sent again, or are given up.
 * Partitions that were revoked meanwhile are not changed.
 */
export function afterOutcome<R extends QueuedRecord>(
  state: PollerState<R>,
  batch: Batch<R>,
  outcome: InvocationOutcome,
  nowMs: number,
  rules: MappingRules,
): AfterOutcome<R> {
  const resend = resendOf(batch, outcome, rules);
  const cut = resend.type === 'whole' && resend.halves ? Math.ceil(batch.recordCount / 2) : batch.recordCount;
  const changed: PartitionQueue<R>[] = [];
  const discards: Discard<R>[] = [];
  let before = 0;
  for (const { partition, records } of batch.parts) {
    const queue = state.queues.get(partition);
    if (queue?.inFlight?.batchId === batch.id) {
      const again = runsAgain(queue.name, queue.inFlight, resend, cut - before, batch.id, nowMs, rules);
      const kept = again.filter((run) => run.attempts <= rules.maxRetryAttempts);
      const leaving = exhausted(partition, again, rules);
      discards.push(...leaving);
      changed.push({
        ...queue,
        inFlight: undefined,
        readySinceMs: nowMs,
        retries: [...kept, ...queue.retries],
        leaving: [...queue.leaving, ...leaving],
      });
    }
    before += records.length;
  }
  return { state: withQueues(state, changed), discards, failedCount: failedCount(batch, resend) };
}

function resendOf<R extends QueuedRecord>(batch: Batch<R>, outcome: InvocationOutcome, rules: MappingRules): Resend {
  switch (outcome.type) {
    case 'answered': {
      if (!rules.reportsBatchItemFailures || outcome.batchItemFailures.length === 0) return { type: 'nothing' };
      const offsets = offsetsByPartition(batch, outcome.batchItemFailures);
      if (!offsets || rules.reading === 'batch') return { type: 'whole', counted: true, halves: false };
      return { type: 'reported', offsets };
    }
    case 'malformed':
      if (!rules.reportsBatchItemFailures) return { type: 'nothing' };
      return { type: 'whole', counted: true, halves: false };
    case 'error': {
      // Splitting does not count as an attempt: the model text of BisectBatchOnFunctionError.
      const halves = rules.bisectOnFunctionError && batch.recordCount > 1;
      return { type: 'whole', counted: !halves, halves };
    }
    case 'notInvoked':
      return { type: 'whole', counted: false, halves: false };
    default:
      return outcome satisfies never;
  }
}

/** The reported offsets of each partition; `undefined` if one was not in the event: then all of it is retried. */
function offsetsByPartition<R extends QueuedRecord>(
  batch: Batch<R>,
  failures: readonly ReportedFailure[],
): ReadonlyMap<string, ReadonlySet<number>> | undefined {
  const reported = new Map<string, Set<number>>();
  for (const { partition, offset } of failures) {
    const offsets = reported.get(partition);
    if (offsets) offsets.add(offset);
    else reported.set(partition, new Set([offset]));
  }
  for (const [partition, offsets] of reported) {
    const sent = batch.parts.find((part) => part.partition === partition);
    if (!sent) return undefined;
    let found = 0;
    for (const { offset } of sent.records) if (offsets.has(offset)) found += 1;
    if (found < offsets.size) return undefined;
  }
  return reported;
}

/** The records of one partition that did not succeed, in offset order, with their attempts counted. */
function runsAgain<R extends QueuedRecord>(
  partition: string,
  { runs }: InFlight<R>,
  resend: Resend,
  cut: number,
  batchId: number,
  nowMs: number,
  rules: MappingRules,
): Run<R>[] {
  if (resend.type === 'nothing') return [];
  const notBeforeMs = nowMs + rules.retryDelayMs;
  if (resend.type === 'whole') {
    const again: Run<R>[] = [];
    let before = 0;
    for (const { records, attempts } of runs) {
      const run = { attempts: resend.counted ? attempts + 1 : attempts, notBeforeMs, blocking: true };
      const first = records.slice(0, Math.max(0, cut - before));
      const second = records.slice(first.length);
      if (first.length > 0) again.push({ ...run, records: first, cohort: 2 * batchId });
      if (second.length > 0) again.push({ ...run, records: second, cohort: 2 * batchId + 1 });
      before += records.length;
    }
    return again;
  }
  const offsets = resend.offsets.get(partition);
  if (!offsets) return [];
  const lowest = Math.min(...offsets);
  const comesBack = (record: R) => (rules.reading === 'lowest' ? record.offset >= lowest : offsets.has(record.offset));
  const blocking = rules.reading !== 'overtaken';
  return runs
    .map(({ records, attempts }) => ({
      records: records.filter(comesBack),
      attempts: attempts + 1,
      notBeforeMs,
      blocking,
    }))
    .filter(({ records }) => records.length > 0);
}

function exhausted<R extends QueuedRecord>(
  partition: string,
  again: readonly Run<R>[],
  rules: MappingRules,
): Discard<R>[] {
  return again
    .filter((run) => run.attempts > rules.maxRetryAttempts)
    .map(({ records, attempts }) => ({
      partition,
      records,
      condition: 'RetryAttemptsExhausted',
      invokeCount: attempts,
    }));
}

function failedCount<R extends QueuedRecord>(batch: Batch<R>, resend: Resend): number {
  switch (resend.type) {
    case 'nothing':
      return 0;
    case 'whole':
      return batch.recordCount;
    case 'reported':
      return [...resend.offsets.values()].reduce((sum, { size }) => sum + size, 0);
    default:
      return resend satisfies never;
  }
}
