import { setTimeout as delay } from 'node:timers/promises';
import { type Admin, type ITopicConfig, logLevel } from 'kafkajs';
import { kafkaJsClient } from '../../shared/adapters/kafka/kafkajs-client.ts';

/** A topic to be made. */
export interface TopicToMake {
  readonly topicName: string;
  readonly partitions: number;
  /** `max.message.bytes`. @default the broker's */
  readonly maxRecordBytes?: number;
  /** `message.timestamp.type=LogAppendTime`. @default false */
  readonly stampsOnAppend?: boolean;
}

/** Asked this often whether each partition of a new topic has a leader. */
const POLL_MS = 50;
const LEADERS_WITHIN_MS = 60_000;

/** Makes those topics that do not exist yet; one that exists is left as it is. Returns when each partition has a leader. */
export async function makeTopics(bootstrapServers: string, topics: readonly TopicToMake[]): Promise<void> {
  const kafka = kafkaJsClient({
    clientId: 'lockstep-local',
    brokers: bootstrapServers.split(','),
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ topicName }) => !existing.has(topicName));
    if (missing.length === 0) return;
    await createTopics(
      admin,
      missing.map(({ topicName, partitions, maxRecordBytes, stampsOnAppend }) => ({
        topic: topicName,
        numPartitions: partitions,
        configEntries: [
          ...(maxRecordBytes === undefined ? [] : [{ name: 'max.message.bytes', value: String(maxRecordBytes) }]),
          ...(stampsOnAppend ? [{ name: 'message.timestamp.type', value: 'LogAppendTime' }] : []),
        ],
      })),
    );
  } finally {
    await admin.disconnect();
  }
}

/**
 * Creates topics and returns when each of their partitions has a leader. kafkajs' own waiting fails with
 * UNKNOWN_TOPIC_OR_PARTITION where the broker's metadata do not name a new topic at once.
 *
 * @throws if a leader is missing after a minute
 */
export async function createTopics(admin: Admin, topics: readonly ITopicConfig[]): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics: [...topics] });
  const deadline = Date.now() + LEADERS_WITHIN_MS;
  for (;;) {
    const missing = await missingLeaders(admin, topics);
    if (missing === undefined) return;
    if (Date.now() > deadline) throw new Error(`New topics have no leaders after a minute: ${missing}`);
    await delay(POLL_MS);
  }
}

/** @returns why not each partition has a leader; `undefined` if it has */
async function missingLeaders(admin: Admin, wanted: readonly ITopicConfig[]): Promise<string | undefined> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: wanted.map(({ topic }) => topic) });
    const open = topics.filter(({ partitions }) => partitions.some(({ leader }) => leader < 0));
    return open.length === 0 ? undefined : open.map(({ name }) => name).join(', ');
  } catch (error) {
    // The metadata do not name a topic, or not its leader yet.
    if (error instanceof Error && error.name.startsWith('KafkaJS')) return error.message;
    throw error;
  }
}
