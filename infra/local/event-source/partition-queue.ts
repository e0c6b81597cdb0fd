/** What the decisions need to know of a record; the payload is whatever else the caller's type holds. */
export interface QueuedRecord {
  readonly offset: number;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** Length of the record's JSON in the event, base64 included. */
  readonly bytes: number;
}

/** Records that were sent before and come back together: one partition's, in offset order. */
export interface Run<R extends QueuedRecord> {
  readonly records: readonly R[];
  /** Invocations of these records that failed so far. */
  readonly attempts: number;
  /** Epoch milliseconds before which they are not sent again. */
  readonly notBeforeMs: number;
  /** Runs of one cohort were one event and are retried as one; absent when only part of an event comes back. */
  readonly cohort?: number;
  /** Whether newer records of the partition wait for these. */
  readonly blocking: boolean;
}

export type DiscardCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded' | 'MaximumPayloadSizeExceeded';

/** Records of one partition that the mapping gives up on: they go to its on-failure destination, or are dropped. */
export interface Discard<R extends QueuedRecord> {
  readonly partition: string;
  readonly records: readonly R[];
  readonly condition: DiscardCondition;
  /** How often they were given to the function. */
  readonly invokeCount: number;
}

export interface InFlight<R extends QueuedRecord> {
  readonly batchId: number;
  readonly runs: readonly Run<R>[];
}

/** One assigned partition as its poller sees it. A value: every change makes a new one. */
export interface PartitionQueue<R extends QueuedRecord> {
  /** The key of `event.records`. */
  readonly name: string;
  /** Fetched and never sent, in offset order. */
  readonly waiting: readonly R[];
  readonly waitingBytes: number;
  /** Since when `waiting` could have been sent (epoch ms): the batching window starts here. */
  readonly readySinceMs: number;
  readonly retries: readonly Run<R>[];
  readonly inFlight?: InFlight<R> | undefined;
  /** Given up on, their destination not yet heard from: nothing at or after them is committed. */
  readonly leaving: readonly Discard<R>[];
  /** The offset after the last one fetched; absent before the first fetch. */
  readonly position?: number | undefined;
}

/** All partitions of one poller, by name, and how many batches it has sent. */
export interface PollerState<R extends QueuedRecord> {
  readonly queues: ReadonlyMap<string, PartitionQueue<R>>;
  readonly batches: number;
}

export function emptyPoller<R extends QueuedRecord>(): PollerState<R> {
  return { queues: new Map(), batches: 0 };
}

/** @param position - the next offset to be fetched, where it is known */
export function emptyQueue<R extends QueuedRecord>(name: string, position?: number): PartitionQueue<R> {
  return { name, waiting: [], waitingBytes: 0, readySinceMs: 0, retries: [], leaving: [], position };
}

export function withQueue<R extends QueuedRecord>(state: PollerState<R>, queue: PartitionQueue<R>): PollerState<R> {
  return withQueues(state, [queue]);
}

export function withQueues<R extends QueuedRecord>(
  state: PollerState<R>,
  changed: readonly PartitionQueue<R>[],
): PollerState<R> {
  const queues = new Map(state.queues);
  for (const queue of changed) queues.set(queue.name, queue);
  return { ...state, queues };
}

/**
 * The queue after a fetch. Records below the queue's position were fetched before and are ignored: after a rebalance
 * Kafka gives everything from the committed offset again.
 *
 * @param next - the offset the next fetch starts from; beyond the last record where filters, compaction or aborted transactions left a gap
 */
export function fetched<R extends QueuedRecord>(
  queue: PartitionQueue<R>,
  records: readonly R[],
  next: number,
  nowMs: number,
): PartitionQueue<R> {
  const { position = 0 } = queue;
  const fresh = records.filter(({ offset }) => offset >= position);
  return {
    ...queue,
    position: Math.max(position, next),
    waiting: [...queue.waiting, ...fresh],
    waitingBytes: fresh.reduce((bytes, record) => bytes + record.bytes, queue.waitingBytes),
    readySinceMs: queue.waiting.length === 0 ? nowMs : queue.readySinceMs,
  };
}

/** The offset to commit: the lowest that is waiting, in flight, to be retried or leaving; else what is fetched next. */
export function committable<R extends QueuedRecord>(queue: PartitionQueue<R>): number | undefined {
  const { position, waiting, retries, leaving, inFlight } = queue;
  if (position === undefined) return undefined;
  const held = [...retries, ...leaving, ...(inFlight?.runs ?? [])].map(({ records }) => records);
  return Math.min(position, ...[waiting, ...held].flatMap(([first]) => first?.offset ?? []));
}

/** The queue once the destination took these records, or refused them for good. */
export function afterDelivery<R extends QueuedRecord>(
  state: PollerState<R>,
  delivered: readonly Discard<R>[],
): PollerState<R> {
  const heardFrom = (queue: PartitionQueue<R>) => ({
    ...queue,
    leaving: queue.leaving.filter((discard) => !delivered.includes(discard)),
  });
  return withQueues(state, [...state.queues.values()].map(heardFrom));
}
