import { logLevel } from 'kafkajs';
import { expect, test, vi } from 'vitest';
import { startEventSource } from '../../../infra/local/event-source/event-source.ts';
import { startKafka } from '../../../infra/local/kafka.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { committed, fakeFunction, newMapping, produce } from './a-mapping.ts';

test('a broker that is killed and comes back costs no record and no order', async () => {
  // Not the run's broker: others use that.
  const broker = await startKafka({ bootstrapServers: '', shortLived: true });
  const kafka = kafkaJsClient({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const mapping = await newMapping(admin, { partitions: 2, batchSize: 10 });
  for (const partition of [0, 1]) await produce(kafka, mapping.topic, partition, 100);
  const invoker = fakeFunction();
  const source = await startEventSource({
    mappings: [mapping],
    bootstrapServers: broker.bootstrapServers,
    invoker,
  });
  try {
    await vi.waitFor(() => expect(invoker.distinct()).toBe(200), { timeout: 180_000 });
    await broker.stopBroker('killed');
    await broker.startBroker();
    for (const partition of [0, 1]) await produce(kafka, mapping.topic, partition, 100, { from: 100 });

    // A member that lost its connection for good counts until its session ends.
    await vi.waitFor(() => expect(invoker.distinct()).toBe(400), { timeout: 180_000 });
    const all = Array.from({ length: 200 }, (_, index) => index);
    for (const partition of [0, 1]) expect(invoker.firstSeen(partition)).toEqual(all);
    await vi.waitFor(async () => expect(await committed(admin, mapping)).toEqual([200, 200]), { timeout: 180_000 });
  } finally {
    await source.stop();
    await admin.disconnect();
    await broker.stop();
  }
});
