import { CompressionTypes, type Message, type Producer } from 'kafkajs';
import type { OutgoingRecord } from '../../ports/record-producer.ts';
import type { EpochMs } from '../../record/units.ts';
import { type KafkaConnectionOptions, REQUEST_TIMEOUT_MS } from './kafka-connection.ts';
import { kafkaJsHeaders } from './kafkajs-headers.ts';
import { KafkaJsLink, type LinkEnd } from './kafkajs-link.ts';
import { foldingPartitioner } from './kafkajs-partitioner.ts';
import type { OpenSocket } from './kafkajs-session.ts';

/** A record to be sent, with its partition if it names one. */
export interface SentRecord extends OutgoingRecord {
  /** Taken modulo the topic's partitions. @default by key */
  readonly partition?: number;
  /** @default now */
  readonly timestamp?: EpochMs;
}

/** What the brokers answered about written records. */
export interface Written {
  /** Each topic sets the time of arrival (`message.timestamp.type=LogAppendTime`). */
  readonly stampedOnAppend: boolean;
}

/** Writes records to any topic over one connection, which is open from the first record until `disconnect`. */
export interface KafkaProducerConnection {
  /**
   * Resolves when all in-sync replicas have all records; otherwise with the reason, by `giveUpAt`. A record may be written
   * twice, and may have been written even if the result is an error. Never rejects.
   */
  send(records: readonly SentRecord[], giveUpAt: EpochMs): Promise<LinkEnd<Written>>;
  /** Closes the connection; the next `send` opens another. Leaves no socket and no timer. Never rejects. */
  disconnect(): Promise<void>;
}

/**
 * One kafkajs producer with acks from all in-sync replicas. It is not idempotent: kafkajs's idempotent producer fails for good
 * when it loses sequence numbers. A record that is too large for its topic is compressed: its first producer may have sent it
 * in a compressed batch.
 */
export function kafkaJsProducerConnection(
  options: KafkaConnectionOptions,
  openSocket?: OpenSocket,
): KafkaProducerConnection {
  const link = new KafkaJsLink<Producer>(
    options,
    async ({ kafka }) => {
      const producer = kafka.producer({
        allowAutoTopicCreation: false,
        createPartitioner: foldingPartitioner,
        idempotent: false,
      });
      await producer.connect();
      return { client: producer, goodbye: () => producer.disconnect() };
    },
    openSocket,
  );
  const send = (records: readonly SentRecord[], giveUpAt: EpochMs, compression: CompressionTypes) => {
    const timeout = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    return link.use<Written>(async (producer) => {
      const written = await producer.sendBatch({ acks: -1, timeout, compression, topicMessages: byTopic(records) });
      // -1 where the topic keeps the producer's timestamp. https://kafka.apache.org/protocol.html#The_Messages_Produce
      return { stampedOnAppend: written.every(({ logAppendTime = '-1' }) => logAppendTime !== '-1') };
    }, giveUpAt);
  };
  return {
    async send(records, giveUpAt) {
      const end = await send(records, giveUpAt, CompressionTypes.None);
      const isTooLarge = end.type === 'failed' && end.failure.type === 'tooLarge';
      return isTooLarge ? send(records, giveUpAt, CompressionTypes.GZIP) : end;
    },
    disconnect: () => link.disconnect(),
  };
}

function byTopic(records: readonly SentRecord[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const { topic, key, value, headers, partition, timestamp } of records) {
    const messages = topics.get(topic) ?? [];
    messages.push({
      key,
      value,
      headers: kafkaJsHeaders(headers),
      ...(partition !== undefined && { partition }),
      ...(timestamp !== undefined && { timestamp: String(timestamp) }),
    });
    topics.set(topic, messages);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}
