import type { Kafka } from 'kafkajs';
import { partitionName } from '../../../shared/record/item-identifier.ts';
import { type Assignment, assignment } from './assignment.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { EsmMetrics } from './esm-metrics.ts';
import type { RecordFilter } from './filter-pattern.ts';
import { joinGroup } from './group-member.ts';
import { type PartitionReading, startReading } from './partition-reading.ts';
import type { TopicReader } from './topic-reader.ts';
import { troubles } from './troubles.ts';
import { untilAnswered } from './until-answered.ts';

const COMMIT_EVERY_MS = 100;
/** How long a poller that leaves waits to hear where the group stands: without that it commits nothing. */
const PLACED_WITHIN_MS = 2_000;

export interface PollerOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly groupId: string;
  readonly batchSize: number;
  readonly filter: RecordFilter;
  readonly metrics: EsmMetrics;
  /** Called at each joining. */
  readonly onJoin: () => void;
  readonly reader: TopicReader;
  readonly committedOffsets: () => Promise<ReadonlyMap<number, number>>;
  /** Given what to call when queues got longer or shorter. */
  readonly dispatcher: (onChange: () => void) => Dispatcher;
  /** What goes wrong, one line each. */
  readonly log: (line: string) => void;
  /** Pause before something is tried again that failed. @default 500 */
  readonly againAfterMs?: number;
}

/** One member of the mapping's consumer group, with its own queues and invocations. */
export interface Poller {
  /** Partitions are assigned, or it was stopped before. Rejects if no broker answers: it is stopped then. */
  readonly ready: Promise<void>;
  /**
   * Leaves the group. `drained` waits for the batches in flight and commits them; `abruptly` does neither: what was in
   * flight comes again elsewhere.
   */
  stop(how?: 'drained' | 'abruptly'): Promise<void>;
}

/** Joins the group, reads what it is assigned, and goes on whatever fails until it is stopped. */
export function startPoller(options: PollerOptions): Poller {
  const { topic, groupId, metrics, againAfterMs = 500 } = options;
  const trouble = troubles(options.log);
  let ours: Assignment = assignment(topic, []);
  let isStopping = false;
  let isThrough = false;
  let placing: Promise<void> = Promise.resolve();
  let reading: PartitionReading | undefined;

  const dispatcher = options.dispatcher(() => reading?.wake());
  const nameOf = (partition: number) => partitionName({ topic, partition });

  const commit = async (): Promise<void> => {
    const assigned = ours;
    const committables = dispatcher.committables();
    // Where a partition stands is known once it has a position: what is queued of before may be behind the group.
    const due = [...assigned.positions.keys()].flatMap((partition) => {
      const name = nameOf(partition);
      const offset = committables.get(name);
      return offset === undefined || assigned.committed.get(name) === offset ? [] : { partition, name, offset };
    });
    const consumer = member.current();
    if (due.length === 0 || !consumer) return;
    try {
      await consumer.commitOffsets(due.map(({ partition, offset }) => ({ topic, partition, offset: String(offset) })));
      for (const { name, offset } of due) {
        metrics.count('CommittedEventCount', offset - (assigned.committed.get(name) ?? offset));
        assigned.committed.set(name, offset);
      }
      trouble.over(`group ${groupId}`);
    } catch (error) {
      // In a rebalance the generation is another: whoever has the partition next starts at what was committed.
      if (ours !== assigned || isRebalance(error)) return;
      metrics.count('CommitErrorCount', 1);
      trouble.of(`group ${groupId}`, 'took no commit; it is sent again', error);
    }
  };

  const onJoin = (partitions: readonly number[]): void => {
    const before = ours;
    ours = assignment(topic, partitions);
    trouble.over(`a poller of ${topic}`);
    options.onJoin();
    dispatcher.keepOnly(ours.names);
    placing = place(before, ours);
  };

  /** Finds out where each partition stands; nothing is read before. Queues of partitions that stay are kept, unless the group went on without us meanwhile. */
  const place = async (before: Assignment, current: Assignment): Promise<void> => {
    dispatcher.hold();
    // One that drains still has to know, to commit what it had in flight.
    const isOver = () => ours !== current || isThrough;
    const committed = await committedOffsets(isOver);
    if (committed !== undefined && !isOver()) {
      const known = dispatcher.committables();
      for (const partition of current.partitions) {
        const name = nameOf(partition);
        const there = committed.get(partition) ?? -1;
        const here = known.get(name);
        const isGone = there < 0 && before.committed.has(name);
        const position = dispatcher.position(name);
        if (here !== undefined && position !== undefined && before.names.has(name) && there <= here && !isGone) {
          current.positions.set(partition, position);
        } else {
          dispatcher.forget(name);
          current.positions.set(partition, Math.max(there, 0));
        }
        if (there >= 0) current.committed.set(name, there);
      }
      trouble.over(`group ${groupId}`);
    }
    dispatcher.release();
    reading?.wake();
  };

  /** Asks as often as it takes: without an answer nothing would be read. */
  const committedOffsets = async (isOver: () => boolean): Promise<ReadonlyMap<number, number> | undefined> => {
    while (!isOver()) {
      try {
        return await untilAnswered(options.committedOffsets, { isOver });
      } catch (error) {
        trouble.of(`group ${groupId}`, 'does not say what was committed; it is asked again', error);
        await pause(againAfterMs);
      }
    }
    return undefined;
  };

  const member = joinGroup({
    ...{ kafka: options.kafka, topic, groupId, onJoin },
    onRebalance: () => void commit(),
    onCrash: (error) => {
      metrics.count('PollingErrorCount', 1);
      trouble.of(`a poller of ${topic}`, `crashed; it joins group ${groupId} again`, error);
    },
  });

  let committing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    committing = committing.then(commit);
  }, COMMIT_EVERY_MS);
  reading = startReading({
    ...{ topic, metrics, dispatcher, trouble, againAfterMs, reader: options.reader },
    ...{ batchSize: options.batchSize, filter: options.filter },
    // Who is out of the group reads for nobody.
    ours: () => (member.current() === undefined || isStopping ? undefined : ours),
  });
  const abandoned = Promise.withResolvers<'abandoned'>();
  const leave = async (): Promise<void> => {
    isStopping = true;
    const end = await Promise.race([dispatcher.drain(), abandoned.promise]);
    clearInterval(timer);
    if (end !== 'abandoned') {
      await Promise.race([placing, pause(PLACED_WITHIN_MS), abandoned.promise]);
      await committing;
      await commit();
    }
    isThrough = true;
    await Promise.all([member.leave(), reading?.stop()]);
  };
  let leaving: Promise<void> | undefined;
  const stop: Poller['stop'] = async (how = 'drained') => {
    if (how === 'abruptly') abandoned.resolve('abandoned');
    leaving ??= leave();
    await leaving;
  };
  const ready = member.joined.catch(async (error: unknown) => {
    await stop('abruptly');
    throw error;
  });
  return { ready, stop };
}

const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

const REBALANCE = /group generation id is not valid|group is rebalancing|not aware of this member/;

function isRebalance(error: unknown): boolean {
  return error instanceof Error && REBALANCE.test(error.message);
}
