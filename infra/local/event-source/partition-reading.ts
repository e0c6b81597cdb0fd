import type { FetchedOfSeveral } from '../../../shared/adapters/kafka/kafkajs-fetch.ts';
import { partitionName } from '../../../shared/record/item-identifier.ts';
import type { Assignment } from './assignment.ts';
import type { Dispatcher } from './dispatcher.ts';
import { recordPrefix } from './encode-record.ts';
import type { EsmMetrics } from './esm-metrics.ts';
import { fetchedRecords } from './fetched-records.ts';
import type { RecordFilter } from './filter-pattern.ts';
import { EMPTY_WAIT_MS, type TopicReader } from './topic-reader.ts';
import type { Troubles } from './troubles.ts';

/** A poller fetches ahead this many batches, then leaves the partition until some of them are gone. */
const BATCHES_AHEAD = 4;
const RECORDS_AHEAD = 4_000;
const BYTES_AHEAD = 16 * 1024 * 1024;

export interface PartitionReadingOptions {
  readonly topic: string;
  readonly batchSize: number;
  readonly filter: RecordFilter;
  readonly metrics: EsmMetrics;
  readonly reader: TopicReader;
  readonly dispatcher: Dispatcher;
  readonly trouble: Troubles;
  /** The current assignment; `undefined` while there is none. Each join has another one. */
  readonly ours: () => Assignment | undefined;
  /** Pause before a failed read is tried again. */
  readonly againAfterMs: number;
}

/** The reading of a poller's partitions, each from its own position. */
export interface PartitionReading {
  /** There may be something new to read. */
  wake(): void;
  /** Ends after the current read. */
  stop(): Promise<void>;
}

/** Reads into the dispatcher's queues while they have room, and goes on after every fault, until it is stopped. */
export function startReading(options: PartitionReadingOptions): PartitionReading {
  const { topic, metrics, reader, dispatcher, trouble, ours, againAfterMs } = options;
  const waitingUntil = new Map<number, number>();
  let isStopping = false;
  let turn = 0;
  let wake = (): void => {};
  const nameOf = (partition: number) => partitionName({ topic, partition });

  /** Partitions with room in their queues, starting with another one each time. */
  const wanted = (assigned: Assignment | undefined): Map<number, number> => {
    const limit = Math.max(RECORDS_AHEAD, BATCHES_AHEAD * options.batchSize);
    const now = Date.now();
    const due = [...(assigned?.positions ?? [])].filter(([partition]) => {
      const { records, bytes } = dispatcher.backlog(nameOf(partition));
      return records < limit && bytes < BYTES_AHEAD && (waitingUntil.get(partition) ?? 0) <= now;
    });
    const first = due.length === 0 ? 0 : turn++ % due.length;
    return new Map([...due.slice(first), ...due.slice(0, first)]);
  };

  const failed = (partition: number, offset: number, error: unknown): void => {
    metrics.count('PollingErrorCount', 1);
    waitingUntil.set(partition, Date.now() + againAfterMs);
    trouble.of(nameOf(partition), `cannot be read at offset ${offset}; it is tried again`, error);
  };

  /** @returns whether it brought the partition further */
  const take = async (
    assigned: Assignment,
    partition: number,
    from: number,
    fetched: FetchedOfSeveral | undefined,
  ): Promise<boolean> => {
    const name = nameOf(partition);
    if (fetched === undefined || fetched.type === 'failed') {
      failed(partition, from, fetched?.error ?? new Error('the topic does not have the partition'));
      return false;
    }
    if (fetched.type === 'outside') {
      // Records below the log's start have expired. An offset above its end belongs to a topic that was deleted.
      if (from > fetched.logStart) dispatcher.forget(name);
      dispatcher.fetched(name, [], fetched.logStart);
      assigned.positions.set(partition, fetched.logStart);
      return from !== fetched.logStart;
    }
    const prefix = recordPrefix({ topic, partition });
    const { records, polled, next, error } = await fetchedRecords(fetched.piece, from, prefix, options.filter);
    if (ours() !== assigned || isStopping) return false;
    if (next > from) {
      trouble.over(name);
      metrics.count('PolledEventCount', polled);
      metrics.count('FilteredOutEventCount', polled - records.length);
      assigned.positions.set(partition, next);
      dispatcher.fetched(name, records, next);
    }
    if (error !== undefined) failed(partition, next, error);
    return next > from;
  };

  const readOnce = async (): Promise<void> => {
    const assigned = ours();
    const from = wanted(assigned);
    if (assigned === undefined || from.size === 0) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([woken, pause(EMPTY_WAIT_MS)]);
      return;
    }
    const startedAt = performance.now();
    const fetched = await reader.read(from);
    trouble.over(topic);
    // After another join the result is ignored: the records are read again.
    if (ours() !== assigned || isStopping) return;
    const steps = [...from].map(([partition, offset]) => take(assigned, partition, offset, fetched.get(partition)));
    const isFurther = (await Promise.all(steps)).includes(true);
    const left = EMPTY_WAIT_MS - (performance.now() - startedAt);
    if (!isFurther && left > 0) await pause(left);
  };

  const readAll = async (): Promise<void> => {
    while (!isStopping) {
      try {
        await readOnce();
      } catch (error) {
        if (isStopping) return;
        metrics.count('PollingErrorCount', 1);
        trouble.of(topic, 'cannot be read; it is tried again', error);
        await pause(againAfterMs);
      }
    }
  };
  const reading = readAll();

  return {
    wake: () => wake(),
    stop: async () => {
      isStopping = true;
      wake();
      await Promise.all([reader.close(), reading]);
    },
  };
}

const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
