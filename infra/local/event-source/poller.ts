import type { EachBatchPayload, Kafka } from 'kafkajs';
import { partitionName } from '../../../shared/record/item-identifier.ts';
import { type Assignment, assignment } from './assignment.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type EncodedRecord, encodeRecord, type RecordPrefix, recordPrefix } from './encode-record.ts';
import type { EsmMetrics } from './esm-metrics.ts';
import type { RecordFilter } from './filter-pattern.ts';
import { type GroupMember, joinGroup } from './group-member.ts';
import { untilAnswered } from './until-answered.ts';

const COMMIT_EVERY_MS = 100;
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
  /**
   * Leaves the group. `drained` waits for the batches in flight and commits them; `abruptly` does neither: what was in
   * flight comes again elsewhere.
   */
  stop(how?: 'drained' | 'abruptly'): Promise<void>;
}

/** Joins the group; returns once partitions are assigned. @throws if no broker answers */
export async function startPoller(options: PollerOptions): Promise<Poller> {
  const { topic, metrics } = options;
  const prefixes = new Map<number, RecordPrefix>();
  const paused = new Set<number>();
  let ours: Assignment = assignment(topic, []);
  let member: GroupMember | undefined;
  let isStopping = false;

  const balance = (): void => {
    const consumer = member?.current();
    if (!consumer) return;
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
    if (isStopping || !ours.names.has(name)) return;
    // Within one assignment kafkajs goes back only where the broker says that the offset is out of range: the topic is another.
    if (first < (ours.expected.get(name) ?? 0)) dispatcher.forget(name);
    ours.expected.set(name, next);
    dispatcher.fetched(name, records, next);
  };

  const onFetch = ({ batch }: EachBatchPayload): void => {
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
    const committables = dispatcher.committables();
    const due = assigned.partitions.flatMap((partition) => {
      const name = partitionName({ topic, partition });
      const offset = committables.get(name);
      return offset === undefined || assigned.committed.get(name) === offset ? [] : { partition, name, offset };
    });
    const consumer = member?.current();
    if (due.length === 0 || !consumer) return;
    try {
      await consumer.commitOffsets(due.map(({ partition, offset }) => ({ topic, partition, offset: String(offset) })));
      for (const { name, offset } of due) {
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
    options.onJoin();
    dispatcher.keepOnly(ours.names);
    member?.current()?.resume([{ topic, partitions: [...paused] }]);
    paused.clear();
    void verify(before, ours);
    balance();
  };

  /** Queues of partitions that stay are kept, unless the group went on without us meanwhile. */
  const verify = async (before: Assignment, current: Assignment): Promise<void> => {
    dispatcher.hold();
    const committed = await untilAnswered(options.committedOffsets, {
      isOver: () => ours !== current || isStopping,
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

  const { kafka, groupId } = options;
  const onGap = (partition: number, first: number, next: number) => take(partition, first, [], next);
  member = await joinGroup({ kafka, topic, groupId, onJoin, onFetch, onGap, onRebalance: () => void commit() });
  balance();

  let committing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    committing = committing.then(commit);
  }, COMMIT_EVERY_MS);
  let leaving: Promise<void> | undefined;
  const abandoned = Promise.withResolvers<'abandoned'>();
  const leave = async (): Promise<void> => {
    isStopping = true;
    const end = await Promise.race([dispatcher.drain(), abandoned.promise]);
    clearInterval(timer);
    if (end !== 'abandoned') {
      await committing;
      await commit();
    }
    await member.leave();
  };

  return {
    stop: async (how = 'drained') => {
      if (how === 'abruptly') abandoned.resolve('abandoned');
      leaving ??= leave();
      await leaving;
    },
  };
}

const REBALANCE = /group generation id is not valid|group is rebalancing|not aware of this member/;

function isRebalance(error: unknown): boolean {
  return error instanceof Error && REBALANCE.test(error.message);
}
