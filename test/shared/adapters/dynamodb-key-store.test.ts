import { expect, onTestFinished, test } from 'vitest';
import { dynamoDbClient } from '../../../shared/adapters/dynamodb-client.ts';
import { dynamoDbKeyStore } from '../../../shared/adapters/dynamodb-key-store.ts';
import { refusal, type SeenRequest, scriptedDynamoDb } from '../../fixtures/scripted-dynamodb.ts';

interface Wanted {
  readonly Keys: readonly { readonly pk: { readonly S: string } }[];
  readonly ConsistentRead: boolean;
}

function wanted({ body }: SeenRequest): Wanted {
  return (body['RequestItems'] as { keys: Wanted }).keys;
}

/** Answers with an item for each of `processed`, and leaves the others for another time. */
function answerOf(request: SeenRequest, processed: (key: string) => boolean) {
  const { Keys } = wanted(request);
  const left = Keys.filter(({ pk }) => !processed(pk.S));
  const items = Keys.filter(({ pk }) => processed(pk.S)).map(({ pk }) => ({
    pk,
    v: { N: '1' },
    status: { S: 'COMPLETED' },
    position: { S: 'orders-3@1' },
    claimedBy: { S: 'partition#c#g#orders#3#1' },
    valueHash: { S: 'AAAA' },
    expiresAt: { N: '1' },
  }));
  const UnprocessedKeys = left.length === 0 ? {} : { keys: { Keys: left, ConsistentRead: true } };
  return { status: 200, body: { Responses: { keys: items }, UnprocessedKeys } };
}

async function scripted(answer: Parameters<typeof scriptedDynamoDb>[0]) {
  const server = await scriptedDynamoDb(answer);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = dynamoDbClient({ endpoint: server.endpoint, region: 'eu-central-1', credentials });
  onTestFinished(async () => {
    client.destroy();
    await server[Symbol.asyncDispose]();
  });
  const pauses: number[] = [];
  const clock = { sleep: async (ms: number) => void pauses.push(ms) };
  return { server, pauses, keys: dynamoDbKeyStore({ client, table: 'keys', clock }) };
}

test('looks up by the hundred, consistently, each key once', async () => {
  const { keys, server } = await scripted((request) => answerOf(request, () => true));
  const names = Array.from({ length: 250 }, (_, index) => `key#billing#${index}`);

  const found = await keys.lookUp([...names, ...names]);

  expect([...found.keys()].toSorted()).toEqual(names.toSorted());
  expect(server.requests.map((request) => wanted(request).Keys.length)).toEqual([100, 100, 50]);
  expect(server.requests.every((request) => wanted(request).ConsistentRead)).toBe(true);
});

test('sends the requests of a look-up side by side', async () => {
  // None is answered before all three have come.
  const come = Promise.withResolvers<void>();
  const { keys, server } = await scripted(async (request, index) => {
    if (index === 2) come.resolve();
    await come.promise;
    return answerOf(request, () => true);
  });

  await keys.lookUp(Array.from({ length: 250 }, (_, index) => `key#billing#${index}`));

  expect(server.requests).toHaveLength(3);
});

test('asks again, after a growing pause, for exactly what was not processed', async () => {
  const { keys, server, pauses } = await scripted((request, index) =>
    answerOf(request, (key) => index === 2 || key === `key#${index}`),
  );

  const found = await keys.lookUp(['key#0', 'key#1', 'key#2', 'key#3']);

  expect([...found.keys()]).toEqual(['key#0', 'key#1', 'key#2', 'key#3']);
  expect(server.requests.map((request) => wanted(request).Keys.map(({ pk }) => pk.S))).toEqual([
    ['key#0', 'key#1', 'key#2', 'key#3'],
    ['key#1', 'key#2', 'key#3'],
    ['key#2', 'key#3'],
  ]);
  expect(pauses).toEqual([20, 40]);
});

test('fails as transient when keys stay unprocessed five times', async () => {
  const { keys, server } = await scripted((request) => answerOf(request, (key) => key === 'key#0'));

  await expect(keys.lookUp(['key#0', 'key#1'])).rejects.toMatchObject({
    transient: true,
    message: expect.stringContaining('a look-up in table keys left 1 of 2 keys unprocessed 5 times'),
  });
  expect(server.requests).toHaveLength(5);
});

test('a failure names the table and what was asked, and is transient only if it passes', async () => {
  const { keys } = await scripted(() => refusal(400, 'ResourceNotFoundException', 'Requested resource not found'));
  const holder = { ledgerKey: 'partition#c#g#orders#3', epoch: 1 };

  await expect(keys.giveBack('key#0', holder)).rejects.toMatchObject({
    transient: false,
    message: expect.stringContaining(
      'giving back an idempotency key of table keys failed with ResourceNotFoundException',
    ),
  });
});
