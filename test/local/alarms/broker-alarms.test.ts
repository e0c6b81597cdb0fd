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

test('loss-suspected: a topic that is deleted and created again', async () => {
  await watched.send(12, ['of-the-old-topic']);
  await watched.asked('of-the-old-topic');
  await watched.committed(12, 1);
  const { topic: topicName } = watched;
  await watched.whileStopped(async () => {
    await watched.admin.deleteTopics({ topics: [topicName] });
    await expect.poll(() => watched.admin.listTopics(), { timeout: 180_000 }).not.toContain(topicName);
    // The broker refuses while it counts a member.
    await vi.waitFor(() => watched.admin.deleteGroups([watched.groupId]), { timeout: 180_000, interval: 500 });
    await makeTopics(broker.bootstrapServers, [{ topicName, partitions: WATCHED_PARTITIONS }]);
  });
  // The producer learns of the new topic in its own time.
  await vi.waitFor(() => watched.send(12, ['of-the-new-topic']), { timeout: 180_000, interval: 500 });

  await watched.rings('loss-suspected');
  await watched.asked('of-the-new-topic');

  await watched.isOver('loss-suspected');
});

test('each alarm of this suite was seen to ring and to be over', () => {
  expect([...watched.wereOver].sort()).toEqual(PROVOKED.Broker);
});
