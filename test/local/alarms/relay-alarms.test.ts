import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTopics } from '../../../infra/local/topics.ts';
import { WATCHED_PARTITIONS } from './fixtures/alarms-stack.ts';
import { startWatched, type Watched } from './watched.ts';

const SWEEP_EVERY_MS = 2_000;

let watched: Watched;
let relay: Watched['cloud']['deployed']['functions'][number];
let sweeps: NodeJS.Timeout;
const outcomes: ('failed' | 'went well')[] = [];

beforeAll(async () => {
  watched = await startWatched('Relayed');
  const relayName = watched.facts.RelayFunctionName;
  const found = watched.cloud.deployed.functions.find(({ functionName }) => functionName === relayName);
  if (found === undefined) throw new Error('no relay is deployed');
  relay = found;
  // As its schedule does once a minute.
  sweeps = setInterval(() => void sweep().catch(() => outcomes.push('failed')), SWEEP_EVERY_MS);
});
afterAll(async () => {
  clearInterval(sweeps);
  await watched?.stop();
});

async function sweep(): Promise<void> {
  const request = new InvokeCommand({ FunctionName: relay.functionName, Payload: JSON.stringify({ type: 'sweep' }) });
  const { FunctionError } = await watched.lambda.send(request);
  outcomes.push(FunctionError === undefined ? 'went well' : 'failed');
}

const swept = (how: (typeof outcomes)[number]) =>
  expect.poll(() => outcomes.at(-1), { timeout: 180_000, interval: 100 }).toBe(how);

test('relay-stopped: a relay that may not read the ledger', async () => {
  await swept('went well');
  await watched.isOver('relay-stopped');
  const allow = await watched.deny('dynamodb:GetItem', relay);
  await swept('failed');

  await watched.rings('relay-stopped');
  await allow();

  await swept('went well');
  await watched.isOver('relay-stopped');
});

test('letters-waiting: a letter for a dead-letter topic that is gone', async () => {
  const topicName = watched.consumer.deadLetterTopic?.topicName ?? '';
  await watched.admin.deleteTopics({ topics: [topicName] });
  watched.switchboard.set('homeless', 422);
  await watched.send(6, ['homeless']);

  await watched.rings('letters-waiting');
  await makeTopics(watched.cloud.bootstrapServers, [{ topicName, partitions: WATCHED_PARTITIONS }]);

  await watched.isOver('letters-waiting');
});
