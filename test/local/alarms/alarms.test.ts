import {
  DeleteFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { ConfigResourceTypes } from 'kafkajs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { makeTopics } from '../../../infra/local/topics.ts';
import { dynamoDbClient } from '../../../shared/adapters/dynamodb/dynamodb-client.ts';
import { dynamoDbLedgerStore } from '../../../shared/adapters/dynamodb/dynamodb-ledger-store.ts';
import { systemClock } from '../../../shared/adapters/system/system-clock.ts';
import { systemEntropy } from '../../../shared/adapters/system/system-entropy.ts';
import type { OperatorChange } from '../../../shared/decide/operator.ts';
import { changePartition, decisionAction } from '../../../shared/operator/change-partition.ts';
import { clusterUuid } from '../../../shared/record/item-identifier.ts';
import { startWatched, type Watched } from './watched.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const TOPIC = 'watched';
let watched: Watched;

beforeAll(async () => {
  watched = await startWatched();
});
afterAll(() => watched?.stop());

/** Makes a topic; kafkajs gives up where the broker's metadata do not show a new topic at once. */
const madeAgain = (topicName: string) =>
  vi.waitFor(() => makeTopics(watched.cloud.bootstrapServers, [{ topicName, partitions: 16 }]), {
    timeout: 60_000,
    interval: 500,
  });

/** Waits until the handler has asked about a word. */
const asked = (word: string) =>
  expect.poll(() => watched.switchboard.asked, { timeout: 100_000, interval: 100 }).toContain(word);

/** Waits until the group has committed this offset. */
const committed = (partition: number, offset: number) =>
  expect
    .poll(
      async () => {
        const [group] = await watched.admin.fetchOffsets({ groupId: 'Alarms-Watched', topics: [TOPIC] });
        return Number(group?.partitions.find((one) => one.partition === partition)?.offset);
      },
      { timeout: 100_000, interval: 250 },
    )
    .toBeGreaterThanOrEqual(offset);

/** What `lockstep skip` and its like do, to a partition that an invocation holds too. */
async function operate(partition: number, change: OperatorChange): Promise<void> {
  const { cloud } = watched;
  const table = cloud.deployed.outputs['WatchedLedgerTable'] ?? '';
  const ledger = dynamoDbLedgerStore({ client: dynamoDbClient(clientConfig(cloud.endpoint)), table });
  const place = { cluster: clusterUuid(cloud.clusterArn), group: 'Alarms-Watched', topic: TOPIC, partition };
  await changePartition(
    { partition: place, change, who: 'a test', why: 'it provokes an alarm', force: true },
    { ledger, clock: systemClock, entropy: systemEntropy, record: decisionAction.bind(null, table) },
  );
}

test('dead-letters, flood-breaker: records that are refused, until they no longer are', async () => {
  watched.switchboard.set('bad', 422);
  await watched.send(0, Array(7).fill('bad'));

  await watched.rings('dead-letters', 'flood-breaker');
  watched.switchboard.set('bad', 200);

  await watched.isOver('dead-letters', 'flood-breaker');
  await committed(0, 7);
});

test('blocked-record, lag-records, lag-time: a record that fails, and what waits behind it', async () => {
  watched.switchboard.set('stuck', 503);
  await watched.send(1, ['stuck', ...Array(150).fill('behind')]);

  await watched.rings('blocked-record', 'lag-records', 'lag-time');
  watched.switchboard.set('stuck', 200);

  await watched.isOver('blocked-record', 'lag-records', 'lag-time');
  await committed(1, 151);
});

test('function-errors: a record that kills the process', async () => {
  watched.switchboard.set('killer', 599);
  await watched.send(2, ['killer']);

  await watched.rings('function-errors');
  watched.switchboard.set('killer', 200);

  await watched.isOver('function-errors');
});

test('duration: a handler that takes long', async () => {
  watched.switchboard.set('slow', 200, 6_000);
  await watched.send(3, ['slow']);

  await watched.rings('duration');

  await watched.isOver('duration');
});

test('throttles: a function without concurrency', async () => {
  const { lambda, consumer } = watched;
  const FunctionName = consumer.function.functionName;
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
  await watched.send(3, ['throttled']);

  await watched.rings('throttles');
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));

  await watched.isOver('throttles');
  await asked('throttled');
});

test('ledger-unavailable: a role without its right to the table', async () => {
  const giveBack = await watched.deny('dynamodb:UpdateItem');
  await watched.send(4, ['after-the-ledger']);

  await watched.rings('ledger-unavailable');
  await giveBack();

  await watched.isOver('ledger-unavailable');
  await asked('after-the-ledger');
});

test('fenced-commits: a partition that is taken away from an invocation', async () => {
  watched.switchboard.set('taken', 200, 4_000);
  const [sent] = await watched.send(5, ['taken']);
  await asked('taken');
  await operate(5, { type: 'skip', offset: Number(sent?.baseOffset) });

  await watched.rings('fenced-commits');

  await watched.isOver('fenced-commits');
  await committed(5, 1);
});

test('fallback-queue: a dead-letter topic that is gone', async () => {
  const topic = 'watched-dead-letters';
  await watched.admin.deleteTopics({ topics: [topic] });
  watched.switchboard.set('homeless', 422);
  await watched.send(6, ['homeless']);

  await watched.rings('fallback-queue');
  await madeAgain(topic);
  await watched.drain(watched.consumer.function.environment['LOCKSTEP_FALLBACK_QUEUE_URL']);

  await watched.isOver('fallback-queue');
  await committed(6, 1);
});

test('records-not-redelivered: a record that is due and never comes back', async () => {
  watched.switchboard.set('mustReturn', 503);
  await watched.send(7, ['mustReturn']);
  await asked('mustReturn');
  await watched.whileStopped(async () => {
    const partitions = [{ partition: 7, offset: '1' }];
    await watched.admin.setOffsets({ groupId: 'Alarms-Watched', topic: TOPIC, partitions });
  });
  await watched.send(7, ['after-the-owed']);

  await watched.rings('records-not-redelivered');
  await asked('after-the-owed');
  await watched.drain(watched.consumer.function.environment['LOCKSTEP_FALLBACK_QUEUE_URL']);

  await watched.isOver('records-not-redelivered', 'fallback-queue');
});

test('replay-halted: offsets set back to before the ledger’s memory', async () => {
  // Its memory is the last 64 batches: each of these is one.
  const words = Array.from({ length: 140 }, (_, index) => `memory-${index}`);
  for (const [index, word] of words.entries()) {
    await watched.send(8, [word]);
    await asked(word);
    if (index % 20 === 19) await committed(8, index + 1);
  }
  await watched.whileStopped(async () => {
    const partitions = [{ partition: 8, offset: '0' }];
    await watched.admin.setOffsets({ groupId: 'Alarms-Watched', topic: TOPIC, partitions });
  });

  await watched.rings('replay-halted');
  await operate(8, { type: 'acceptAsDuplicates' });

  await watched.isOver('replay-halted');
  await committed(8, 140);
  expect(watched.switchboard.asked.filter((word) => word === 'memory-0')).toHaveLength(1);
});

test('pollers-gone: a mapping that is disabled', async () => {
  const UUID = watched.consumer.mapping.uuid;
  await watched.lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));

  await watched.rings('pollers-gone');
  await watched.lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));

  await watched.isOver('pollers-gone');
});

/** More than an event may hold. */
const TOO_LARGE = 'large'.padEnd(5 * 1024 * 1024, '.');

test('failure-queue: a record that is too large for an event', async () => {
  await watched.send(9, [TOO_LARGE]);

  await watched.rings('failure-queue');
  await watched.drain(watched.cloud.deployed.outputs['WatchedFailureQueueUrl']);

  await watched.isOver('failure-queue');
});

test('failure-destination-refused, events-dropped: a net that takes nothing', async () => {
  const giveBack = await watched.deny('sqs:SendMessage');
  await watched.send(9, [TOO_LARGE]);

  await watched.rings('failure-destination-refused', 'events-dropped');
  await giveBack();

  await watched.isOver('failure-destination-refused', 'events-dropped');
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
  await committed(14, 1);
});

test('polling-errors: a broker that dies while a batch is handled', async () => {
  watched.switchboard.set('broker-dies', 200, 3_000);
  await watched.send(10, ['broker-dies']);
  await asked('broker-dies');
  await watched.broker.stopBroker('killed');

  await watched.rings('polling-errors');
  await watched.broker.startBroker();

  await watched.isOver('polling-errors');
  await committed(10, 1);
});

test('topic-recreated: a topic that is deleted and made anew', async () => {
  await watched.send(12, ['of-the-old-topic']);
  await asked('of-the-old-topic');
  await committed(12, 1);
  await watched.whileStopped(async () => {
    await watched.admin.deleteTopics({ topics: [TOPIC] });
    await expect.poll(() => watched.admin.listTopics(), { timeout: 60_000 }).not.toContain(TOPIC);
    await watched.admin.deleteGroups(['Alarms-Watched']);
    await madeAgain(TOPIC);
  });
  // The producer learns of the new topic in its own time.
  await vi.waitFor(() => watched.send(12, ['of-the-new-topic']), { timeout: 60_000, interval: 500 });

  await watched.rings('topic-recreated');
  await asked('of-the-new-topic');

  await watched.isOver('topic-recreated');
});

test('every alarm of the consumer was seen to ring and to be over', async () => {
  const deployed = Object.keys(await watched.states());

  expect([...watched.wereOver].sort()).toEqual(deployed.sort());
  expect(deployed).toHaveLength(20);
});
