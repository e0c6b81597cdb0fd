import { ConfigResourceTypes } from 'kafkajs';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { type LocalKafka, startKafka } from '../../../infra/local/kafka.ts';
import { makeTopics } from '../../../infra/local/topics.ts';
import { WATCHED_PARTITIONS } from './fixtures/alarms-stack.ts';
import { PROVOKED, startWatched, type Watched } from './watched.ts';

let broker: LocalKafka;
let watched: Watched;

beforeAll(async () => {
  // Not the run's broker: others use that.
  broker = await startKafka({ bootstrapServers: '', shortLived: true });
  watched = await startWatched('Broker', { ...inject('localCloud'), bootstrapServers: broker.bootstrapServers });
});
afterAll(async () => {
  await watched?.stop();
  await broker?.stop();
});

test('topic-recreated: a topic that is deleted and created again', async () => {
  await watched.send(12, ['of-the-old-topic']);
  await watched.asked('of-the-old-topic');
  await watched.committed(12, 1);
  const { topic: topicName } = watched;
  await watched.whileStopped(async () => {
    await watched.admin.deleteTopics({ topics: [topicName] });
    await expect.poll(() => watched.admin.listTopics(), { timeout: 180_000 }).not.toContain(topicName);
    await watched.admin.deleteGroups([watched.groupId]);
    await makeTopics(broker.bootstrapServers, [{ topicName, partitions: WATCHED_PARTITIONS }]);
  });
  // The producer learns of the new topic in its own time.
  await vi.waitFor(() => watched.send(12, ['of-the-new-topic']), { timeout: 180_000, interval: 500 });

  await watched.rings('topic-recreated');
  await watched.asked('of-the-new-topic');

  await watched.isOver('topic-recreated');
});

test('commit-errors: committed offsets that the broker finds too large for their topic', async () => {
  const { admin } = watched;
  const limit = (configEntries: { name: string; value: string }[]) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: '__consumer_offsets', configEntries }],
    });
  // Whatever is not named goes back to the broker's default, and a topic of offsets that is not compacted would lose them.
  const usual = [
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'compression.type', value: 'producer' },
    { name: 'segment.bytes', value: '104857600' },
  ];
  await limit([...usual, { name: 'max.message.bytes', value: '64' }]);

  await watched.rings('commit-errors');
  await limit(usual);

  await watched.isOver('commit-errors');
  await watched.send(14, ['committed-again']);
  await watched.committed(14, 1);
});

test('polling-errors: a broker that dies while a batch is handled', async () => {
  watched.switchboard.set('broker-dies', 200, 3_000);
  await watched.send(10, ['broker-dies']);
  await watched.asked('broker-dies');
  await broker.stopBroker('killed');

  await watched.rings('polling-errors');
  await broker.startBroker();

  await watched.isOver('polling-errors');
  await watched.committed(10, 1);
});

test('each alarm of this suite was seen to ring and to be over', () => {
  expect([...watched.wereOver].sort()).toEqual(PROVOKED.Broker);
});
