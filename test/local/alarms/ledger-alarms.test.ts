import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { dynamoDbClient } from '../../../shared/adapters/dynamodb/dynamodb-client.ts';
import { dynamoDbLedgerStore } from '../../../shared/adapters/dynamodb/dynamodb-ledger-store.ts';
import { systemClock } from '../../../shared/adapters/system/system-clock.ts';
import { systemEntropy } from '../../../shared/adapters/system/system-entropy.ts';
import type { OperatorChange } from '../../../shared/decide/operator.ts';
import { changePartition, decisionAction } from '../../../shared/operator/change-partition.ts';
import { clusterUuid } from '../../../shared/record/item-identifier.ts';
import { PROVOKED, startWatched, type Watched } from './watched.ts';

let watched: Watched;

beforeAll(async () => {
  watched = await startWatched('Ledger');
});
afterAll(() => watched?.stop());

/** What `lockstep skip` and its like do, to a partition that an invocation holds too. */
async function operate(partition: number, change: OperatorChange): Promise<void> {
  const { cloud, groupId: group, topic } = watched;
  const table = watched.facts.LedgerTable;
  const ledger = dynamoDbLedgerStore({ client: dynamoDbClient(clientConfig(cloud.endpoint)), table });
  const place = { cluster: clusterUuid(cloud.clusterArn), group, topic, partition };
  await changePartition(
    { partition: place, change, who: 'a test', why: 'it provokes an alarm', force: true },
    { ledger, clock: systemClock, entropy: systemEntropy, record: decisionAction.bind(null, table) },
  );
}

test('partition-halted: a role without its right to the table', async () => {
  const giveBack = await watched.deny('dynamodb:UpdateItem');
  await watched.send(4, ['after-the-ledger']);

  await watched.rings('partition-halted');
  await giveBack();

  await watched.isOver('partition-halted');
  await watched.asked('after-the-ledger');
});

test('loss-suspected: a record that is due and never comes back', async () => {
  watched.switchboard.set('never-redelivered', 503);
  await watched.send(7, ['never-redelivered']);
  await watched.asked('never-redelivered');
  await watched.setCommitted(7, '1');
  await watched.send(7, ['after-it']);

  await watched.rings('loss-suspected');
  await watched.asked('after-it');
  await watched.drain(watched.consumer.function.environment['LOCKSTEP_FALLBACK_QUEUE_URL']);

  await watched.isOver('loss-suspected', 'fallback-queue');
});

test('partition-halted: offsets set back to before the ledger’s memory', async () => {
  // Its memory is the last 64 batches: each of these is one.
  const words = Array.from({ length: 80 }, (_, index) => `memory-${index}`);
  await watched.send(8, words);
  await watched.committed(8, 80);
  await watched.setCommitted(8, '0');

  await watched.rings('partition-halted');
  await operate(8, { type: 'acceptAsDuplicates' });

  await watched.isOver('partition-halted');
  await watched.committed(8, 80);
  expect(watched.switchboard.asked.filter((word) => word === 'memory-0')).toHaveLength(1);
});

test('each alarm of this suite was seen to ring and to be over', () => {
  expect([...watched.wereOver].sort()).toEqual(PROVOKED.Ledger);
});
