import {
  type Batch,
  DEFAULT_RULES,
  emptyPoller,
  emptyQueue,
  fetched,
  type MappingRules,
  nextBatch,
  type PollerState,
  type QueuedRecord,
  type ReportedFailure,
  withQueue,
} from '../../../../infra/local/event-source/decide.ts';

/** Rules whose window never holds a batch back. */
export function rules(changes: Partial<MappingRules> = {}): MappingRules {
  return { ...DEFAULT_RULES, batchingWindowMs: 0, retryDelayMs: 0, envelopeBytes: 0, ...changes };
}

export function recordsAt(offsets: readonly number[], changes: Partial<QueuedRecord> = {}): QueuedRecord[] {
  return offsets.map((offset) => ({ offset, timestamp: 0, bytes: 100, ...changes }));
}

/** A poller that fetched these offsets of each partition at 0 ms. */
export function pollerWith(partitions: Readonly<Record<string, readonly number[]>>): PollerState<QueuedRecord> {
  let state = emptyPoller<QueuedRecord>();
  for (const [name, offsets] of Object.entries(partitions)) state = fetch(state, name, offsets);
  return state;
}

export function fetch(
  state: PollerState<QueuedRecord>,
  name: string,
  offsets: readonly number[],
  nowMs = 0,
): PollerState<QueuedRecord> {
  const queue = state.queues.get(name) ?? emptyQueue<QueuedRecord>(name);
  return withQueue(state, fetched(queue, recordsAt(offsets), (offsets.at(-1) ?? -1) + 1, nowMs));
}

/** The next batch, which there must be. */
export function send(
  state: PollerState<QueuedRecord>,
  given: MappingRules,
  nowMs = 0,
): { state: PollerState<QueuedRecord>; batch: Batch<QueuedRecord> } {
  const next = nextBatch(state, nowMs, given);
  if (next.type === 'wait') throw new Error(`nothing to send at ${nowMs}, wait until ${next.untilMs}`);
  return next;
}

export function offsetsOf(batch: Batch<QueuedRecord>): Record<string, number[]> {
  return Object.fromEntries(
    batch.parts.map(({ partition, records }) => [partition, records.map(({ offset }) => offset)]),
  );
}

export function answered(...failures: readonly [partition: string, offset: number][]): {
  type: 'answered';
  batchItemFailures: ReportedFailure[];
} {
  return {
    type: 'answered',
    batchItemFailures: failures.map(([partition, offset]) => ({ partition, offset })),
  };
}
