import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { partitionName } from '../../../shared/record/item-identifier.ts';
import { type Assignment, assignment } from './assignment.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type EncodedRecord, encodeRecord, type RecordPrefix, recordPrefix } from './encode-record.ts';
import type { EsmMetrics } from './esm-metrics.ts';
import type { RecordFilter } from './filter-pattern.ts';
import { untilAnswered } from './until-answered.ts';

const COMMIT_EVERY_MS = 100;
const RESTART_AFTER_MS = 300;
/** A poller fetches ahead this many batches, then pauses the partition until half of them are gone. */
const BATCHES_AHEAD = 4;
const RECORDS_AHEAD = 4_000;
const BYTES_AHEAD = 16 * 1024 * 1024;

export interface PollerOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly groupId: string;
  readonly batchSize: number;
  readonly filter: RecordFilter;
  readonly metrics: EsmMetrics;
  /** Called at each joining. */
  readonly onJoin: () => void;
  readonly committedOffsets: () => Promise<ReadonlyMap<number, number>>;
  /** Given what to call when queues got longer or shorter. */
  readonly dispatcher: (onChange: () => void) => Dispatcher;
}

/** One member of the mapping's consumer group, with its own queues and invocations. */
export interface Poller {
  /** Partitions that are ours now. */
  assigned(): readonly number[];
  /**
   * Leaves the group. `drained` waits for the batches in flight and commits them; `abruptly` does neither: what was in
   * flight comes again elsewhere.
   */
  stop(how?: 'drained' | 'abruptly'): Promise<void>;
}

/** Joins the group; returns once partitions are assigned. @throws if no broker answers */
export async function startPoller(options: PollerOptions): Promise<Poller> {
  const { kafka, topic, metrics } = options;
  const prefixes = new Map<number, RecordPrefix>();
  const paused = new Set<number>();
  let ours: Assignment = assignment(topic, []);
  let stopped = false;
  /** Whether the consumer is in the group: kafkajs refuses to pause or commit before and after. */
  let isMember = false;
  let joined = (): void => {};
  let consumer: Consumer;

  const balance = (): void => {
    if (!isMember) return;
    const limit = Math.max(RECORDS_AHEAD, BATCHES_AHEAD * options.batchSize);
    for (const partition of ours.partitions) {
      const { records, bytes } = dispatcher.backlog(partitionName({ topic, partition }));
      if (!paused.has(partition) && (records >= limit || bytes >= BYTES_AHEAD)) {
        paused.add(partition);
        consumer.pause([{ topic, partitions: [partition] }]);
      } else if (paused.has(partition) && records < limit / 2 && bytes < BYTES_AHEAD / 2) {
        paused.delete(partition);
        consumer.resume([{ topic, partitions: [partition] }]);
      }
    }
  };
  const dispatcher = options.dispatcher(balance);

  const take = (partition: number, first: number, records: readonly EncodedRecord[], next: number): void => {
    const name = partitionName({ topic, partition });
    if (stopped || !ours.partitions.includes(partition)) return;
    // Within one assignment kafkajs goes back only where the broker says that the offset is out of range: the topic is another.
    if (first < (ours.expected.get(name) ?? 0)) dispatcher.forget(name);
    ours.expected.set(name, next);
    dispatcher.fetched(name, records, next);
  };

  const eachBatch = async ({ batch }: EachBatchPayload): Promise<void> => {
    const { partition, messages } = batch;
    const prefix = prefixes.get(partition) ?? recordPrefix({ topic, partition });
    prefixes.set(partition, prefix);
    const passing = messages.filter(({ value }) => options.filter(value)).map((record) => encodeRecord(prefix, record));
    metrics.count('PolledEventCount', messages.length);
    metrics.count('FilteredOutEventCount', messages.length - passing.length);
    take(partition, Number(batch.firstOffset() ?? 0), passing, Number(batch.lastOffset()) + 1);
  };

  const commit = async (): Promise<void> => {
    const assigned = ours;
    const due = [...dispatcher.committables()].filter(([name, offset]) => assigned.committed.get(name) !== offset);
    const offsets = due.flatMap(([name, offset]) => {
      const partition = assigned.partitions.find((owned) => partitionName({ topic, partition: owned }) === name);
      return partition === undefined ? [] : { topic, partition, offset: String(offset) };
    });
    if (offsets.length === 0 || !isMember) return;
    try {
      await consumer.commitOffsets(offsets);
      for (const [name, offset] of due) {
        metrics.count('CommittedEventCount', offset - (assigned.committed.get(name) ?? offset));
        assigned.committed.set(name, offset);
      }
    } catch (error) {
      // In a rebalance the generation is another: whoever has the partition next starts at what was committed.
      if (ours === assigned && !isRebalance(error)) metrics.count('CommitErrorCount', 1);
    }
  };

  const onJoin = (partitions: readonly number[]): void => {
    const before = ours;
    ours = assignment(topic, partitions);
    isMember = true;
    options.onJoin();
    dispatcher.keepOnly(ours.names);
    consumer.resume([{ topic, partitions: [...paused] }]);
    paused.clear();
    void verify(before, ours);
    balance();
    joined();
  };

  /** Queues of partitions that stay are kept, unless the group went on without us meanwhile. */
  const verify = async (before: Assignment, current: Assignment): Promise<void> => {
    dispatcher.hold();
    const committed = await untilAnswered(options.committedOffsets, {
      isOver: () => ours !== current || stopped,
    }).catch(() => undefined);
    if (committed && ours === current) {
      const known = dispatcher.committables();
      for (const partition of current.partitions) {
        const name = partitionName({ topic, partition });
        const there = committed.get(partition) ?? -1;
        const here = known.get(name);
        const isGone = there < 0 && before.committed.has(name);
        if (here !== undefined && before.names.has(name) && (there > here || isGone)) dispatcher.forget(name);
        else if (there >= 0 && !current.committed.has(name)) current.committed.set(name, there);
      }
    }
    dispatcher.release();
  };

  const join = async (): Promise<void> => {
    consumer = kafka.consumer({
      groupId: options.groupId,
      maxWaitTimeInMs: 100,
      heartbeatInterval: 500,
      sessionTimeout: 6_000,
      rebalanceTimeout: 10_000,
      readUncommitted: false,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8, restartOnFailure: async () => false },
    });
    const current = consumer;
    const { events } = consumer;
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (current === consumer) onJoin(payload.memberAssignment[topic] ?? []);
    });
    consumer.on(events.STOP, () => {
      if (current === consumer) isMember = false;
    });
    consumer.on(events.REBALANCING, () => void commit());
    // Nothing but transaction markers and aborted records: never handed to eachBatch.
    consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize > 0) return;
      const next = Number(payload.lastOffset) + 1;
      take(payload.partition, Number(payload.firstOffset ?? payload.lastOffset), [], next);
    });
    consumer.on(events.CRASH, () => {
      if (!stopped && current === consumer) setTimeout(() => void rejoin(), RESTART_AFTER_MS);
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatch });
  };
  const rejoin = async (): Promise<void> => {
    if (stopped) return;
    await join().catch(() => setTimeout(() => void rejoin(), RESTART_AFTER_MS));
  };

  const first = new Promise<void>((resolve) => (joined = resolve));
  await join();
  await first;
  let committing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    committing = committing.then(commit);
  }, COMMIT_EVERY_MS);

  let leaving: Promise<void> | undefined;
  let isAbandoned = false;
  let abandon = (): void => {};
  const abandoned = new Promise<void>((resolve) => {
    abandon = () => {
      isAbandoned = true;
      resolve();
    };
  });
  const leave = async (): Promise<void> => {
    stopped = true;
    await Promise.race([dispatcher.drain(), abandoned]);
    clearInterval(timer);
    if (!isAbandoned) {
      await committing;
      await commit();
    }
    await consumer.disconnect().catch(() => {});
  };

  return {
    assigned: () => ours.partitions,
    stop: async (how = 'drained') => {
      if (how === 'abruptly') abandon();
      leaving ??= leave();
      await leaving;
    },
  };
}

const REBALANCE = /group generation id is not valid|group is rebalancing|not aware of this member/;

function isRebalance(error: unknown): boolean {
  return error instanceof Error && REBALANCE.test(error.message);
}
