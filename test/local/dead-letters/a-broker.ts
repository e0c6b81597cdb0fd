import { randomBytes } from 'node:crypto';
import { type Admin, type Kafka, logLevel } from 'kafkajs';
import { type LocalKafka, startKafka } from '../../../infra/local/kafka.ts';
import { createTopics } from '../../../infra/local/topics.ts';
import type { KafkaConnectionOptions } from '../../../shared/adapters/kafka/kafka-connection.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { kafkaJsOriginalReader } from '../../../shared/adapters/kafka/kafkajs-original-reader.ts';
import { systemClock } from '../../../shared/adapters/system/system-clock.ts';
import type { OriginalRangeReader, OriginalRecordAt } from '../../../shared/ports/original-reader.ts';
import type { Log } from '../../../shared/ports/telemetry.ts';

const QUIET: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A broker of a test file's own, which it may stop. */
export interface ABroker extends LocalKafka {
  readonly options: KafkaConnectionOptions;
  /** A client that is not ours, to produce and to change topics as others do. */
  readonly client: Kafka;
  /** A new, empty topic. @returns its name */
  makeTopic(partitions: number, settings?: Readonly<Record<string, string>>): Promise<string>;
  /** Everything committed that a partition holds, first to last. */
  readAll(topic: string, partition: number): Promise<readonly OriginalRecordAt[]>;
  /** A moment that is near enough to fail a test, and far enough for a broker. */
  soon(): number;
  end(): Promise<void>;
}

/** Starts it; `end` ends it and all that reads from it. */
export async function aBroker(): Promise<ABroker> {
  const kafka = await startKafka({ shortLived: true });
  const { bootstrapServers } = kafka;
  const options: KafkaConnectionOptions = {
    brokers: () => bootstrapServers,
    authentication: { auth: 'none' },
    clock: systemClock,
    log: QUIET,
  };
  const client = kafkaJsClient({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  const reader = kafkaJsOriginalReader(options);
  const soon = () => Date.now() + 20_000;
  return {
    ...kafka,
    options,
    client,
    soon,
    makeTopic: async (numPartitions, settings = {}) => {
      const topic = `t-${randomBytes(6).toString('hex')}`;
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
      await withAdmin(client, (admin) => createTopics(admin, [{ topic, numPartitions, configEntries }]));
      return topic;
    },
    readAll: (topic, partition) => readAll(reader, topic, partition, soon()),
    end: async () => {
      await reader.disconnect();
      await kafka.stop();
    },
  };
}

/** Lets `work` administrate. */
export async function withAdmin<T>(client: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = client.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function readAll(
  reader: OriginalRangeReader,
  topic: string,
  partition: number,
  giveUpAt: number,
): Promise<readonly OriginalRecordAt[]> {
  const records: OriginalRecordAt[] = [];
  const to = 1_000_000;
  for (let from = 0; from <= to; ) {
    const slice = await reader.readRange({ topic, partition }, { from, to }, giveUpAt);
    records.push(...slice.records);
    from = slice.next;
  }
  return records;
}
