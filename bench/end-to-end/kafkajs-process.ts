/** A plain kafkajs consumer in a process of its own: commits after each record, or after each batch. */
import { logLevel } from 'kafkajs';
import { kafkaJsClient } from '../../shared/adapters/kafka/kafkajs-client.ts';
import { PARTITIONS } from './consumers.ts';
import { effectAt } from './effect.ts';
import { HandledCounter } from './handled.ts';

/** How often it reports what was handled. */
const TELL_EVERY_MS = 100;

const [broker = '', topic = '', commits = '', groupId = '', endpoint = ''] = process.argv.slice(2);
const kafka = kafkaJsClient({ brokers: [broker], logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
const effect = effectAt(endpoint);
const handled = new HandledCounter();

process.on('disconnect', () => process.exit(0));
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  partitionsConsumedConcurrently: PARTITIONS,
  eachBatch: async ({ batch: { partition, messages }, resolveOffset, heartbeat }) => {
    const commit = (offset: string) =>
      consumer.commitOffsets([{ topic, partition, offset: String(Number(offset) + 1) }]);
    for (const { offset, timestamp } of messages) {
      await effect(`${topic}-${partition}@${offset}`);
      if (commits === 'record') await commit(offset);
      handled.add(Number(timestamp));
      resolveOffset(offset);
    }
    const last = messages.at(-1);
    if (commits === 'batch' && last !== undefined) await commit(last.offset);
    await heartbeat();
  },
});
setInterval(() => process.send?.(handled.take()), TELL_EVERY_MS);
