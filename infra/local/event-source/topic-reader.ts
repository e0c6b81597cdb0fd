import type { Cluster } from 'kafkajs/src/cluster/index.js';
import { kafkaJsCluster } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { type FetchedOfSeveral, fetchPartitions } from '../../../shared/adapters/kafka/kafkajs-fetch.ts';
import { KafkaJsLink } from '../../../shared/adapters/kafka/kafkajs-link.ts';
import { systemClock } from '../../../shared/adapters/system/system-clock.ts';
import type { Log } from '../../../shared/ports/telemetry.ts';

/** How long the broker may hold an empty answer back: a partition that is added to what is read waits for it. */
export const EMPTY_WAIT_MS = 100;
const MAX_BYTES = 10 * 1024 * 1024;
const MAX_BYTES_OF_PARTITION = 1024 * 1024;
const ANSWER_WITHIN_MS = 30_000;

const silent = () => {};
const QUIET: Log = { debug: silent, info: silent, warn: silent, error: silent };

/** Reads partitions of a topic from offsets on, all codecs, headers as they were sent, committed transactions only. */
export interface TopicReader {
  /** What there is, soon; partitions that come first are served first. @throws while no broker answers */
  read(from: ReadonlyMap<number, number>): Promise<ReadonlyMap<number, FetchedOfSeveral>>;
  /** Ends the connection, and with it a read under way. */
  close(): Promise<void>;
}

export function topicReader(bootstrapServers: string, topic: string): TopicReader {
  const link = new KafkaJsLink<Cluster>(
    {
      brokers: () => bootstrapServers,
      authentication: { auth: 'none' },
      clock: systemClock,
      log: QUIET,
      clientId: 'lambda-poller',
    },
    async ({ kafka }) => {
      const cluster = kafkaJsCluster(kafka, { allowAutoTopicCreation: false });
      await cluster.connect();
      return { client: cluster, goodbye: () => cluster.disconnect() };
    },
  );
  let isClosed = false;
  return {
    read: async (from) => {
      const wanted = [...from].map(([partition, offset]) => ({
        partition,
        from: offset,
        maxBytes: MAX_BYTES_OF_PARTITION,
      }));
      const end = await link.use(
        (cluster) => fetchPartitions(cluster, topic, wanted, { maxBytes: MAX_BYTES, emptyWaitMs: EMPTY_WAIT_MS }),
        Date.now() + ANSWER_WITHIN_MS,
      );
      // The link connects again when its connection was closed.
      if (isClosed) await link.disconnect();
      if (end.type === 'done') return end.value;
      throw new Error(end.failure?.reason ?? 'no broker answers', { cause: end.failure?.cause });
    },
    close: async () => {
      isClosed = true;
      await link.disconnect();
    },
  };
}
