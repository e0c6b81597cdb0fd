import { expect, onTestFinished, test } from 'vitest';
import { dynamoDbClient } from '../../../../shared/adapters/dynamodb/dynamodb-client.ts';
import { lookUpKeys } from '../../../../shared/adapters/dynamodb/dynamodb-key-look-up.ts';
import { dynamoDbKeyStore } from '../../../../shared/adapters/dynamodb/dynamodb-key-store.ts';
import type { KeyItem } from '../../../../shared/decide/idempotency.ts';
import { refusal, type SeenRequest, scriptedDynamoDb } from '../../../fixtures/scripted-dynamodb.ts';

const ITEM: KeyItem = {
  status: 'IN_PROGRESS',
  position: 'orders-3@1',
  claimedBy: { ledgerKey: 'partition#c#g#orders#3', epoch: 1 },
  valueHash: 'AAAA',
  expiresAt: 1,
};

interface Wanted {
  readonly Keys: readonly { readonly pk: { readonly S: string } }[];
  readonly ConsistentRead: boolean;
}

function wanted({ body }: SeenRequest): Wanted {
  return (body['RequestItems'] as { keys: Wanted }).keys;
}

interface Statement {
  readonly Statement: string;
  readonly Parameters: readonly { readonly S?: string; readonly N?: string }[];
}

function statements({ body }: SeenRequest): readonly Statement[] {
  return body['Statements'] as readonly Statement[];
}

/** Answers with an item for each of `processed`, and leaves the others for another time. */
function answerOf(request: SeenRequest, processed: (key: string) => boolean) {
  const { Keys } = wanted(request);
  const left = Keys.filter(({ pk }) => !processed(pk.S));
  const items = Keys.filter(({ pk }) => processed(pk.S)).map(({ pk }) => ({
    pk,
    v: { N: '2' },
    status: { S: 'COMPLETED' },
    position: { S: 'orders-3@1' },
    claimedBy: { S: 'partition#c#g#orders#3#1' },
    valueHash: { S: 'AAAA' },
    expiresAt: { N: '1' },
  }));
  const UnprocessedKeys = left.length === 0 ? {} : { keys: { Keys: left, ConsistentRead: true } };
  return { status: 200, body: { Responses: { keys: items }, UnprocessedKeys } };
}

/** Answers each statement with the code that `codeOf` gives its key. */
function answersOf(request: SeenRequest, codeOf: (key: string) => string | undefined) {
  const Responses = statements(request).map(({ Parameters }) => {
    const Code = codeOf(Parameters.find(({ S }) => S?.startsWith('key#'))?.S ?? '');
    return Code === undefined ? {} : { Error: { Code, Message: 'That was not possible.' } };
  });
  return { status: 200, body: { Responses } };
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
  const options = { client, table: 'keys', clock };
  return { server, pauses, keys: dynamoDbKeyStore(options), lookUp: (names: string[]) => lookUpKeys(options, names) };
}

const named = (count: number) => Array.from({ length: count }, (_, index) => `key#billing#${index}`);

test('claims by the twenty-five, side by side, and answers in order', async () => {
  // None is answered before all three have come.
  const come = Promise.withResolvers<void>();
  const { keys, server } = await scripted(async (request, index) => {
    if (index === 2) come.resolve();
    await come.promise;
    return answersOf(request, () => undefined);
  });

  const answers = await keys.claim(named(60).map((key) => ({ key, item: ITEM })));

  expect(answers).toEqual(Array(60).fill({ type: 'granted' }));
  expect(server.requests.map((request) => statements(request).length).toSorted()).toEqual([10, 25, 25]);
});

test('puts an item with a statement that fails where there is one', async () => {
  const { keys, server } = await scripted((request) => answersOf(request, () => undefined));

  await keys.claim([{ key: 'key#billing#0', item: ITEM }]);

  expect(server.requests[0] && statements(server.requests[0])).toEqual([
    {
      Statement: `INSERT INTO "keys" VALUE {'pk': ?, 'v': ?, 'status': ?, 'position': ?, 'claimedBy': ?, 'valueHash': ?, 'expiresAt': ?}`,
      Parameters: [
        { S: 'key#billing#0' },
        { N: '2' },
        { S: 'IN_PROGRESS' },
        { S: 'orders-3@1' },
        { S: 'partition#c#g#orders#3#1' },
        { S: 'AAAA' },
        { N: '1' },
      ],
    },
  ]);
});

test('replaces an item of an older format version too: compares all that it says, but not its version', async () => {
  const { keys, server } = await scripted((request) => answersOf(request, () => undefined));

  await keys.claim([
    { key: 'key#billing#0', item: { ...ITEM, expiresAt: 9 }, replaces: { ...ITEM, position: 'orders-4@7' } },
  ]);

  expect(server.requests[0] && statements(server.requests[0])).toEqual([
    {
      Statement: `UPDATE "keys" SET "v"=? SET "status"=? SET "position"=? SET "claimedBy"=? SET "valueHash"=? SET "expiresAt"=? WHERE "pk"=? AND "status"=? AND "position"=? AND "claimedBy"=? AND "valueHash"=? AND "expiresAt"=?`,
      Parameters: [
        { N: '2' },
        { S: 'IN_PROGRESS' },
        { S: 'orders-3@1' },
        { S: 'partition#c#g#orders#3#1' },
        { S: 'AAAA' },
        { N: '9' },
        { S: 'key#billing#0' },
        { S: 'IN_PROGRESS' },
        { S: 'orders-4@7' },
        { S: 'partition#c#g#orders#3#1' },
        { S: 'AAAA' },
        { N: '1' },
      ],
    },
  ]);
});

test('says of each key by itself what DynamoDB said of it, and asks only who holds those that were refused', async () => {
  const codes: Record<string, string> = {
    'key#billing#1': 'DuplicateItem',
    'key#billing#2': 'ThrottlingError',
    'key#billing#3': 'AccessDenied',
    'key#billing#4': 'InternalServerError',
    'key#billing#5': 'ConditionalCheckFailed',
  };
  const { keys, server } = await scripted((request) =>
    request.operation === 'BatchGetItem'
      ? answerOf(request, (key) => key === 'key#billing#1' || key === 'key#billing#5')
      : answersOf(request, (key) => codes[key]),
  );

  const answers = await keys.claim(named(6).map((key) => ({ key, item: ITEM })));

  const held = { type: 'held', item: { ...ITEM, status: 'COMPLETED' } };
  const unknown = (transient: boolean, code: string) => ({
    type: 'unknown',
    error: expect.objectContaining({
      transient,
      message: expect.stringContaining(
        `the claim of idempotency keys of table keys failed with ${code}: That was not possible`,
      ),
    }),
  });
  expect(answers).toEqual([
    { type: 'granted' },
    held,
    unknown(true, 'ThrottlingError'),
    unknown(false, 'AccessDenied'),
    unknown(true, 'InternalServerError'),
    held,
  ]);
  expect(server.requests.slice(1).map((request) => wanted(request).Keys.map(({ pk }) => pk.S))).toEqual([
    ['key#billing#1', 'key#billing#5'],
  ]);
});

test('of one request that fails, the fate of its own keys alone is unknown', async () => {
  const { keys } = await scripted((request) =>
    statements(request).length === 25
      ? answersOf(request, () => undefined)
      : refusal(400, 'ProvisionedThroughputExceededException', 'Too much'),
  );

  const answers = await keys.complete(named(27).map((key) => ({ key, item: ITEM })));

  expect(answers.map(({ type }) => type)).toEqual([...Array(25).fill('completed'), 'unknown', 'unknown']);
});

test('what a shorter answer leaves out is unknown', async () => {
  const { keys } = await scripted(() => ({ status: 200, body: { Responses: [{}] } }));

  const answers = await keys.giveBack(
    named(2).map((key) => ({ key, holder: ITEM.claimedBy, position: ITEM.position })),
  );

  expect(answers).toEqual([
    { type: 'settled' },
    { type: 'unknown', error: expect.objectContaining({ transient: true }) },
  ]);
});

test('a claim whose holder cannot be looked up is unknown', async () => {
  const { keys } = await scripted((request) =>
    request.operation === 'BatchGetItem'
      ? refusal(400, 'AccessDeniedException', 'not authorized to perform: dynamodb:BatchGetItem')
      : answersOf(request, (key) => (key === 'key#billing#1' ? 'DuplicateItem' : undefined)),
  );

  const answers = await keys.claim(named(2).map((key) => ({ key, item: ITEM })));

  const refused = { transient: false, message: expect.stringContaining('dynamodb:BatchGetItem') };
  expect(answers).toEqual([{ type: 'granted' }, { type: 'unknown', error: expect.objectContaining(refused) }]);
});

test('looks up by the hundred, consistently, side by side', async () => {
  const come = Promise.withResolvers<void>();
  const { lookUp, server } = await scripted(async (request, index) => {
    if (index === 2) come.resolve();
    await come.promise;
    return answerOf(request, () => true);
  });

  const found = await lookUp(named(250));

  expect(found).toEqual(Array(250).fill({ ...ITEM, status: 'COMPLETED' }));
  expect(server.requests.map((request) => wanted(request).Keys.length).toSorted()).toEqual([100, 100, 50]);
  expect(server.requests.every((request) => wanted(request).ConsistentRead)).toBe(true);
});

test('asks again, after a growing pause, for exactly what was not processed', async () => {
  const { lookUp, server, pauses } = await scripted((request, index) =>
    answerOf(request, (key) => index === 2 || key === `key#${index}`),
  );

  const found = await lookUp(['key#0', 'key#1', 'key#2', 'key#3']);

  expect(found.every((item) => item?.status === 'COMPLETED')).toBe(true);
  expect(server.requests.map((request) => wanted(request).Keys.map(({ pk }) => pk.S))).toEqual([
    ['key#0', 'key#1', 'key#2', 'key#3'],
    ['key#1', 'key#2', 'key#3'],
    ['key#2', 'key#3'],
  ]);
  expect(pauses).toEqual([20, 40]);
});

test('fails as transient when keys stay unprocessed five times', async () => {
  const { lookUp, server } = await scripted((request) => answerOf(request, (key) => key === 'key#0'));

  await expect(lookUp(['key#0', 'key#1'])).rejects.toMatchObject({
    transient: true,
    message: expect.stringContaining('a look-up in table keys left 1 of 2 keys unprocessed 5 times'),
  });
  expect(server.requests).toHaveLength(5);
});
