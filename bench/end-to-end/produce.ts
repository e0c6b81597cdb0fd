import { setTimeout as pause } from 'node:timers/promises';
import { logLevel } from 'kafkajs';
import { kafkaJsClient } from '../../shared/adapters/kafka/kafkajs-client.ts';
import { PARTITIONS } from './consumers.ts';

const VALUE_BYTES = 300;
/** Records of one request. */
const SLICE = 2_000;
const TICK_MS = 50;

/** Writes records of 300 bytes, the partitions in turn. */
export interface Producing extends AsyncDisposable {
  /** As fast as it goes. */
  all(topic: string, records: number): Promise<void>;
  /** So many a second. */
  paced(topic: string, records: number, perSecond: number): Promise<void>;
}

/** Connects to a broker. */
export async function producing(bootstrapServers: string): Promise<Producing> {
  const producer = kafkaJsClient({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  const send = (topic: string, from: number, count: number) =>
    producer.send({ topic, acks: -1, messages: Array.from({ length: count }, (_, index) => message(from + index)) });
  return {
    async all(topic, records) {
      for (let from = 0; from < records; from += SLICE) await send(topic, from, Math.min(SLICE, records - from));
    },
    async paced(topic, records, perSecond) {
      const share = Math.max(1, Math.round((perSecond * TICK_MS) / 1_000));
      const startedAt = performance.now();
      for (let from = 0; from < records; from += share) {
        await send(topic, from, Math.min(share, records - from));
        const dueIn = startedAt + ((from + share) / perSecond) * 1_000 - performance.now();
        if (dueIn > 0) await pause(dueIn);
      }
    },
    [Symbol.asyncDispose]: () => producer.disconnect(),
  };
}

function message(index: number) {
  const value = `{"order":${index},"note":"`;
  return { partition: index % PARTITIONS, value: `${value}${'x'.repeat(VALUE_BYTES - value.length - 2)}"}` };
}
