import type { Admin, Kafka } from 'kafkajs';
import type { StartingPosition } from './mapping.ts';
import { PATIENCE_MS, untilAnswered } from './until-answered.ts';

/**
 * Commits where a mapping starts, for the partitions that its group has no offset for. Without it a group that starts at
 * the latest would start there again at each rebalance before its first commit, and lose what came in between.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-starting-positions.html
 */
export async function commitStartingOffsets(
  kafka: Kafka,
  admin: Admin,
  { topic, groupId, position }: { topic: string; groupId: string; position: StartingPosition },
): Promise<void> {
  const patiently = { patienceMs: PATIENCE_MS };
  const committed = await untilAnswered(() => committedOffsets(admin, groupId, topic), patiently);
  // A topic that was made a moment ago has no leaders yet.
  const starts = await untilAnswered(() => startingOffsets(admin, topic, position), patiently);
  const missing = (starts ?? []).filter(({ partition }) => (committed?.get(partition) ?? -1) < 0);
  if (missing.length === 0) return;

  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const joined = new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.GROUP_JOIN, () => {
        // It is here to commit: kafkajs cannot read all that a topic may hold.
        consumer.pause([{ topic }]);
        resolve();
      });
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    });
    joined.catch(() => {});
    await consumer.run({ autoCommit: false, eachBatch: async () => {} });
    await joined;
    await consumer.commitOffsets(missing.map(({ partition, offset }) => ({ topic, partition, offset })));
  } finally {
    await consumer.disconnect();
  }
}

/** By partition; negative where there is none. */
export async function committedOffsets(admin: Admin, groupId: string, topic: string): Promise<Map<number, number>> {
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return new Map((found?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]));
}

async function startingOffsets(
  admin: Admin,
  topic: string,
  position: StartingPosition,
): Promise<{ readonly partition: number; readonly offset: string }[]> {
  switch (position.type) {
    case 'TRIM_HORIZON':
      return (await admin.fetchTopicOffsets(topic)).map(({ partition, low }) => ({ partition, offset: low }));
    case 'LATEST':
      return (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => ({ partition, offset: high }));
    case 'AT_TIMESTAMP':
      return admin.fetchTopicOffsetsByTimestamp(topic, position.timestampMs);
    default:
      return position satisfies never;
  }
}
