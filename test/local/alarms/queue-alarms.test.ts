import { UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { makeTopics } from '../../../infra/local/topics.ts';
import { WATCHED_PARTITIONS } from './fixtures/alarms-stack.ts';
import { PROVOKED, startWatched, type Watched } from './watched.ts';

let watched: Watched;

beforeAll(async () => {
  watched = await startWatched('Queues');
});
afterAll(() => watched?.stop());

test('fallback-queue: a dead-letter topic that is gone', async () => {
  const topicName = watched.consumer.deadLetterTopic?.topicName ?? '';
  await watched.admin.deleteTopics({ topics: [topicName] });
  watched.switchboard.set('homeless', 422);
  await watched.send(6, ['homeless']);

  await watched.rings('fallback-queue');
  await makeTopics(watched.cloud.bootstrapServers, [{ topicName, partitions: WATCHED_PARTITIONS }]);
  await watched.drain(watched.consumer.function.environment['LOCKSTEP_FALLBACK_QUEUE_URL']);

  await watched.isOver('fallback-queue');
  await watched.committed(6, 1);
});

test('pollers-gone: a mapping that is disabled', async () => {
  const UUID = watched.consumer.mapping.uuid;
  const enable = (Enabled: boolean) => watched.lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled }));
  onTestFailed(async () => void (await enable(true)));
  await enable(false);

  await watched.rings('pollers-gone');
  await enable(true);

  await watched.isOver('pollers-gone');
});

/** More than an event may hold. */
const TOO_LARGE = 'large'.padEnd(5 * 1024 * 1024, '.');

test('failure-queue: a record that is too large for an event', async () => {
  await watched.send(9, [TOO_LARGE]);

  await watched.rings('failure-queue');
  await watched.drain(watched.facts.FailureQueueUrl);

  await watched.isOver('failure-queue');
});

test('failure-destination-refused, events-dropped: a failure queue that takes nothing', async () => {
  const giveBack = await watched.deny('sqs:SendMessage');
  await watched.send(9, [TOO_LARGE]);

  await watched.rings('failure-destination-refused', 'events-dropped');
  await giveBack();

  await watched.isOver('failure-destination-refused', 'events-dropped');
});

test('each alarm of this suite was seen to ring and to be over', () => {
  expect([...watched.wereOver].sort()).toEqual(PROVOKED.Queues);
});
