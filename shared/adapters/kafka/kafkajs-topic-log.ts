import type { Admin } from 'kafkajs';
import { LockstepError } from '../../errors.ts';
import type { PartitionBounds, TopicLog } from '../../ports/topic-log.ts';
import type { EpochMs } from '../../record/units.ts';
import type { KafkaConnectionOptions } from './kafka-connection.ts';
import type { ReadFailure } from './kafkajs-failure.ts';
import { KafkaJsLink } from './kafkajs-link.ts';
import { kafkaJsOriginalReader } from './kafkajs-original-reader.ts';

/** Bytes of one answer, as the broker keeps them. Compressed dead letters, mostly their stacks, unpack to many times that. */
const LOG_SLICE_BYTES = 512 * 1024;

/** How often a coordinator is requested while Kafka is choosing one. */
const MOMENTS = 6;

/** Reads topics with plain fetches, and their bounds and groups with kafkajs's admin client. */
export function kafkaJsTopicLog(options: KafkaConnectionOptions): TopicLog {
  const reader = kafkaJsOriginalReader(options, undefined, LOG_SLICE_BYTES);
  const link = new KafkaJsLink<Admin>(options, async ({ kafka }) => {
    const admin = kafka.admin();
    await admin.connect();
    return { client: admin, goodbye: () => admin.disconnect() };
  });

  const ask = async <T>(what: string, giveUpAt: EpochMs, work: (admin: Admin) => Promise<T>): Promise<T> => {
    let end = await link.use(work, giveUpAt);
    for (let tries = 1; end.type === 'failed' && isMoment(end.failure) && tries < MOMENTS; tries++) {
      await options.clock.sleep(Math.max(0, Math.min(100 * 2 ** tries, giveUpAt - options.clock.now())));
      end = await link.use(work, giveUpAt);
    }
    if (end.type === 'done') return end.value;
    const { failure } = end;
    const isUnreachable = failure === undefined || failure.type === 'unreachable';
    const why = failure === undefined ? '' : `: ${failure.reason}`;
    throw new LockstepError(
      isUnreachable ? 'BROKER_UNREACHABLE' : 'ORIGINAL_UNREADABLE',
      `${what} could not be read${end.type === 'late' ? ' in time' : ''}${why}`,
      failure === undefined ? undefined : { cause: failure.cause },
    );
  };

  return {
    read: (position, giveUpAt) => reader.read(position, giveUpAt),
    readRange: (partition, range, giveUpAt) => reader.readRange(partition, range, giveUpAt),
    passThrough: (partition, range, giveUpAt) => reader.passThrough(partition, range, giveUpAt),
    bounds: (topic, giveUpAt) =>
      ask(`what topic ${topic} holds`, giveUpAt, async (admin) =>
        (await admin.fetchTopicOffsets(topic))
          .map(({ partition, low, high }): PartitionBounds => ({ partition, start: Number(low), end: Number(high) }))
          .sort((a, b) => a.partition - b.partition),
      ),
    committed: (group, topic, giveUpAt) =>
      ask(`the offsets of group ${group}`, giveUpAt, async (admin) => {
        // On a fresh connection kafkajs knows no broker that it could ask for the group's coordinator.
        await admin.fetchTopicMetadata({ topics: [topic] });
        const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        const known = (found?.partitions ?? []).filter(({ offset }) => Number(offset) >= 0);
        return new Map(known.map(({ partition, offset }) => [partition, Number(offset)]));
      }),
    groups: (topic, giveUpAt) =>
      ask(`the groups that read topic ${topic}`, giveUpAt, async (admin) => {
        const { groups } = await admin.listGroups();
        const found: string[] = [];
        for (const { groupId } of groups) {
          const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
          if ((offsets?.partitions ?? []).some(({ offset }) => Number(offset) >= 0)) found.push(groupId);
        }
        return found;
      }),
    disconnect: async () => {
      await Promise.all([reader.disconnect(), link.disconnect()]);
    },
  };
}

/**
 * A cluster creates its internal topics with its first group or transaction. Meanwhile kafkajs reports that there is no broker.
 */
export function isMoment({ reason }: ReadFailure): boolean {
  return /^KafkaJS(GroupCoordinatorNotFound|BrokerNotFound)/.test(reason);
}
