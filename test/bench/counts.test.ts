import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { bundlePeer } from '../../bench/cold/bundled-peers.ts';
import { loadedBytes } from '../../bench/cold/loaded-bytes.ts';
import { type GrantingDynamoDb, grantingDynamoDb } from '../../bench/dynamodb/granting-dynamodb.ts';
import { lambdaContext } from '../../bench/measure/lambda-context.ts';
import { ordersEvent } from '../../bench/measure/orders-event.ts';
import { CONSUMER_ENVIRONMENT } from '../../bench/measure/peers.ts';
import type { KeyedBy } from '../../bench/peers/common/peer.ts';
import { ordersConsumer } from '../../bench/peers/lockstep/consumer.ts';

/*
 * What does not depend on the machine: a regression of requests, write units or loaded code fails here. Times are measured by
 * `npm run bench`, beside the peers, and asserted nowhere.
 */

let dynamoDb: GrantingDynamoDb;
beforeEach(async () => {
  dynamoDb = await grantingDynamoDb();
  for (const [name, value] of Object.entries(CONSUMER_ENVIRONMENT)) vi.stubEnv(name, value);
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', dynamoDb.endpoint);
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'true');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await dynamoDb[Symbol.asyncDispose]();
});

async function consume(keyedBy: KeyedBy, partitions: number, batches: number): Promise<void> {
  const handler = ordersConsumer(keyedBy);
  for (let batch = 0; batch < batches; batch++) {
    const event = ordersEvent({ records: 100, partitions, kind: 'fresh' }, batch);
    const answer = await handler(event, lambdaContext(`request-${batch}`));
    expect(answer).toEqual({ batchItemFailures: [] });
  }
}

test('by position, a thousand fresh records in batches of a hundred cost twenty requests and twenty write units', async () => {
  await consume('position', 1, 10);

  expect(Object.fromEntries(dynamoDb.requests)).toEqual({ UpdateItem: 20 });
  expect(dynamoDb.writeUnits).toBe(20);
});

test('by position, a batch over ten partitions costs two requests for each of them', async () => {
  await consume('position', 10, 1);

  expect(Object.fromEntries(dynamoDb.requests)).toEqual({ UpdateItem: 20 });
});

test('the ledger item stays within one write unit, batch after batch', async () => {
  await consume('position', 1, 100);

  expect(dynamoDb.writeUnits).toBe(200);
});

test('with idempotency keys, a hundred fresh records cost ten requests, and each key two write units', async () => {
  await consume('orderId', 1, 1);

  expect(Object.fromEntries(dynamoDb.requests)).toEqual({ UpdateItem: 2, BatchExecuteStatement: 8 });
  expect(dynamoDb.writeUnits).toBe(202);
});

/**
 * What Node loads of the bundle before the first record is handled. Only a feature may make it grow: docs/performance.md says by
 * how much each one did, and what the same consumer built with Powertools loads.
 */
const LOADED_BYTES_AT_MOST = 377_000;

test('a cold start loads no more code than it did, and nothing of the Kafka client', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lockstep-loaded-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const event = ordersEvent({ records: 1, partitions: 1, kind: 'fresh' }, 0);

  const { bytes } = await loadedBytes(bundlePeer('lockstep', root), event, {
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
  });

  expect(bytes).toBeGreaterThan(100_000);
  expect(bytes).toBeLessThan(LOADED_BYTES_AT_MOST);
});
