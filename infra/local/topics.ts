import { logLevel } from 'kafkajs';
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
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(({ topicName, partitions, maxRecordBytes, stampsOnAppend }) => ({
        topic: topicName,
        numPartitions: partitions,
        configEntries: [
          ...(maxRecordBytes === undefined ? [] : [{ name: 'max.message.bytes', value: String(maxRecordBytes) }]),
          ...(stampsOnAppend ? [{ name: 'message.timestamp.type', value: 'LogAppendTime' }] : []),
        ],
      })),
    });
  } finally {
    await admin.disconnect();
  }
}
