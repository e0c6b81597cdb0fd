import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { dynamoDbClient } from '../../../../shared/adapters/dynamodb/dynamodb-client.ts';
import { dynamoDbLedgerStore } from '../../../../shared/adapters/dynamodb/dynamodb-ledger-store.ts';
import type { LedgerStore, WriteAnswer, WriteRequest } from '../../../../shared/ports/ledger-store.ts';
import { StoreError } from '../../../../shared/ports/store-error.ts';
import { effectPut } from '../../../contracts/fake-under-test.ts';
import { claimBy, newPartition, writeBy } from '../../../contracts/ledger-under-test.ts';
import {
  cancellation,
  refusal,
  type ScriptedAnswer,
  type ScriptedDynamoDb,
  scriptedDynamoDb,
} from '../../../fixtures/scripted-dynamodb.ts';

const TABLE = 'lockstep-ledger';

async function scripted(
  answer: Parameters<typeof scriptedDynamoDb>[0],
): Promise<{ ledger: LedgerStore; server: ScriptedDynamoDb }> {
  const server = await scriptedDynamoDb(answer);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { server, ledger: ledgerAt(server.endpoint) };
}

function ledgerAt(endpoint: string, requestTimeoutMs = 5_000): LedgerStore {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = dynamoDbClient({ endpoint, region: 'eu-central-1', credentials, requestTimeoutMs });
  onTestFinished(() => client.destroy());
  return dynamoDbLedgerStore({ client, table: TABLE });
}

test.each<[string, ScriptedAnswer, boolean]>([
  ['throttling', refusal(400, 'ThrottlingException', 'Throughput exceeds the limit.'), true],
  ['exceeded throughput', refusal(400, 'ProvisionedThroughputExceededException', 'Slow down.'), true],
  ['an exceeded request limit', refusal(400, 'RequestLimitExceeded', 'Slow down.'), true],
  ['a conflict with a transaction', refusal(400, 'TransactionConflictException', 'Transaction is ongoing.'), true],
  ['a conflict with another region', refusal(400, 'ReplicatedWriteConflictException', 'Try again.'), true],
  ['an internal error', refusal(500, 'InternalServerError', 'Sorry.'), true],
  ['an unavailable service', { status: 503, body: {} }, true],
  ['a connection that breaks', 'hangUp', true],
  ['a missing table', refusal(400, 'ResourceNotFoundException', 'Requested resource not found'), false],
  ['a missing right', refusal(400, 'AccessDeniedException', 'User is not authorized to perform'), false],
  ['an unknown token', refusal(400, 'UnrecognizedClientException', 'The security token is invalid.'), false],
  ['an item that is too large', refusal(400, 'ValidationException', 'Item size has exceeded 400 KB'), false],
])('%s is told as such, after one request', async (_, answer, transient) => {
  const { ledger, server } = await scripted(() => answer);

  const failed = ledger.write(writeBy(newPartition(), 'a'));

  await expect(failed).rejects.toThrow(StoreError);
  await expect(failed).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE', transient });
  expect(server.requests).toHaveLength(1);
});

test('a failure names the table, the request and what DynamoDB said, and keeps its cause', async () => {
  const { ledger } = await scripted(() => refusal(400, 'ResourceNotFoundException', 'Requested resource not found.'));

  await expect(ledger.claim(claimBy(newPartition(), 'a'))).rejects.toMatchObject({
    message: expect.stringMatching(
      /^LEDGER_UNAVAILABLE: the claim of table lockstep-ledger failed with ResourceNotFoundException: Requested resource not found\. Check that the table exists/,
    ),
    cause: { name: 'ResourceNotFoundException' },
  });
});

test('a server that never answers is given up after the time limit, as transient, after one request', async () => {
  const server = await scriptedDynamoDb(() => 'silence');
  onTestFinished(() => server[Symbol.asyncDispose]());

  await expect(ledgerAt(server.endpoint, 50).read(newPartition())).rejects.toMatchObject({
    transient: true,
    cause: { name: 'TimeoutError' },
  });
  expect(server.requests).toHaveLength(1);
});

test('a server that is not there is transient, and got nothing', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => closed.once('listening', listening));
  const address = closed.address();
  await new Promise((end) => closed.close(end));

  const port = typeof address === 'object' ? address?.port : 0;
  await expect(ledgerAt(`http://127.0.0.1:${port}`).read(newPartition())).rejects.toMatchObject({
    transient: true,
    notApplied: true,
  });
});

test('a write is one UpdateItem, with effects one TransactWriteItems, a claim one UpdateItem, a read one consistent GetItem', async () => {
  const item = {
    pk: { S: 'partition#c#g#t#1' },
    v: { N: '2' },
    epoch: { N: '1' },
    rev: { N: '1' },
    leaseUntil: { N: '1' },
  };
  const { ledger, server } = await scripted(() => ({ status: 200, body: { Attributes: item, Item: item } }));
  const partition = newPartition();

  await ledger.claim(claimBy(partition, 'a'));
  await ledger.write(writeBy(partition, 'a'));
  await ledger.write(writeBy(partition, 'a', { effects: [] }));
  await ledger.write(writeBy(partition, 'a', { effects: [effectPut('accounts', 'x')] }));
  await ledger.read(partition);

  const operations = server.requests.map(({ operation }) => operation);
  expect(operations).toEqual(['UpdateItem', 'UpdateItem', 'UpdateItem', 'TransactWriteItems', 'GetItem']);
  expect(server.requests[4]?.body['ConsistentRead']).toBe(true);
});

const withEffects = { effects: [effectPut('accounts', 'x', 'ifAbsent'), effectPut('accounts', 'y', 'ifAbsent')] };
const key = 'key#billing#9f86';
const claimedBy = { ledgerKey: 'partition#c#g#t#1', epoch: 1 };
const keyItem = { status: 'COMPLETED', position: 'orders-3@15', claimedBy, valueHash: 'AAAA', expiresAt: 1 } as const;
const withCompletion = { ...withEffects, completions: [{ key, item: keyItem }] };

function writeAnswered(answer: ScriptedAnswer, change: Partial<WriteRequest>): Promise<WriteAnswer> {
  return scripted(() => answer).then(({ ledger }) => ledger.write(writeBy(newPartition(), 'a', change)));
}

test.each<[Partial<WriteRequest>, readonly string[], number[]]>([
  [withEffects, ['None', 'None', 'ConditionalCheckFailed'], [1]],
  [withEffects, ['None', 'ConditionalCheckFailed', 'TransactionConflict'], [0]],
  [withEffects, ['None', 'ValidationError', 'ItemCollectionSizeLimitExceeded'], [0, 1]],
  [withCompletion, ['None', 'None', 'None', 'ConditionalCheckFailed'], [1]],
  [withCompletion, ['None', 'TransactionConflict', 'ConditionalCheckFailed', 'None'], [0]],
])('a transaction is cancelled by the effects that object (%#)', async (change, codes, indexes) => {
  const answer = await writeAnswered(cancellation(...codes), change);

  expect(answer.type === 'cancelled' && answer.reasons.map(({ index }) => index)).toEqual(indexes);
});

test.each<[Partial<WriteRequest>, readonly string[]]>([
  [withEffects, ['TransactionConflict', 'None', 'None']],
  [withEffects, ['None', 'TransactionConflict', 'None']],
  [withEffects, ['None', 'None', 'ThrottlingError']],
  [withEffects, ['ProvisionedThroughputExceeded', 'None', 'None']],
  // The ledger's own condition was not looked at, so the effect's may be due to an earlier try of this very write.
  [withEffects, ['TransactionConflict', 'ConditionalCheckFailed', 'None']],
  [withCompletion, ['None', 'TransactionConflict', 'None', 'None']],
])(
  'a transaction that met another, or was throttled, was not applied and is to be repeated (%#)',
  async (change, codes) => {
    await expect(writeAnswered(cancellation(...codes), change)).rejects.toMatchObject({
      transient: true,
      notApplied: true,
    });
  },
);

test.each<[string, ScriptedAnswer, boolean]>([
  ['throttled', refusal(400, 'ThrottlingException', 'Slow down.'), true],
  ['in conflict with a transaction', refusal(400, 'TransactionConflictException', 'Transaction is ongoing.'), true],
  ['refused for a missing table', refusal(400, 'ResourceNotFoundException', 'Not found'), true],
  ['answered with an error of the server', refusal(500, 'InternalServerError', 'Internal error.'), false],
  ['answered by an unavailable server', refusal(503, 'ServiceUnavailable', 'Unavailable.'), false],
  ['under way under the same token', refusal(400, 'TransactionInProgressException', 'In progress.'), false],
  ['never answered', 'silence', false],
  ['cut off', 'hangUp', false],
])('of a write that was %s, nobody has to guess whether it was applied', async (_, answer, notApplied) => {
  const server = await scriptedDynamoDb(() => answer);
  onTestFinished(() => server[Symbol.asyncDispose]());

  // Only silence is to be given up on: a busy machine may answer late.
  const write = ledgerAt(server.endpoint, answer === 'silence' ? 50 : 60_000).write(writeBy(newPartition(), 'a'));

  await expect(write).rejects.toMatchObject({ notApplied });
});

test.each([
  ['None', 'ConditionalCheckFailed'],
  ['TransactionConflict', 'None'],
])(
  'the error of a transaction holds no item that DynamoDB showed: it goes to a log (%s)',
  async (ledger, completion) => {
    const Item = { balance: { N: '4711' } };
    const CancellationReasons = [{ Code: ledger }, { Code: completion }, { Code: 'ConditionalCheckFailed', Item }];
    const answer = refusal(400, 'TransactionCanceledException', 'cancelled', { CancellationReasons });

    const failed = writeAnswered(answer, withCompletion);

    await expect(failed).rejects.toMatchObject({
      cause: { CancellationReasons: [{ Code: ledger }, { Code: completion }, { Code: 'ConditionalCheckFailed' }] },
    });
    await expect(failed.catch(({ cause }) => JSON.stringify(cause))).resolves.not.toContain('4711');
  },
);

test('a transaction whose ledger item DynamoDB finds invalid is not to be repeated', async () => {
  const answer = cancellation('ValidationError', 'None', 'None');

  await expect(writeAnswered(answer, withEffects)).rejects.toMatchObject({ transient: false });
});

test.each([
  refusal(400, 'ValidationException', 'Invalid ConditionExpression'),
  refusal(400, 'ResourceNotFoundException', 'Requested resource not found'),
  refusal(400, 'SerializationException', 'Start of structure or map found where not expected'),
  refusal(
    400,
    'AccessDeniedException',
    'not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:eu-central-1:1:table/accounts',
  ),
])('a transaction refused as a whole for an effect is cancelled by none in particular (%#)', async (answer) => {
  expect(await writeAnswered(answer, withEffects)).toMatchObject({ type: 'cancelled', reasons: [{ index: -1 }] });
});

test.each([
  [refusal(400, 'ValidationException', 'Item size to update has exceeded the maximum allowed size'), {}],
  [refusal(400, 'ValidationException', 'Item size has exceeded the maximum allowed size'), {}],
  [
    refusal(400, 'TransactionCanceledException', 'cancelled', {
      CancellationReasons: [
        { Code: 'ValidationError', Message: 'Item size to update has exceeded the maximum allowed size' },
        { Code: 'None' },
        { Code: 'None' },
      ],
    }),
    withEffects,
  ],
])(
  'an item that has reached the limit of DynamoDB has its own error, and no repetition helps (%#)',
  async (answer, change) => {
    await expect(writeAnswered(answer, change)).rejects.toMatchObject({
      code: 'LEDGER_ITEM_FULL',
      transient: false,
      notApplied: true,
      message: expect.stringContaining('lockstep status'),
    });
  },
);

test('an effect whose item is too large is that effect’s refusal, not the ledger’s', async () => {
  const answer = refusal(400, 'TransactionCanceledException', 'cancelled', {
    CancellationReasons: [
      { Code: 'None' },
      { Code: 'ValidationError', Message: 'Item size to update has exceeded the maximum allowed size' },
      { Code: 'None' },
    ],
  });

  expect(await writeAnswered(answer, withEffects)).toMatchObject({
    type: 'cancelled',
    reasons: [{ index: 0, code: 'ValidationError' }],
  });
});

test('a claim that is too large for the item has its own error', async () => {
  const { ledger } = await scripted(() =>
    refusal(400, 'ValidationException', 'Item size to update has exceeded the maximum allowed size'),
  );

  await expect(ledger.claim(claimBy(newPartition(), 'a'))).rejects.toMatchObject({ code: 'LEDGER_ITEM_FULL' });
});

test('a transaction refused for a right on the ledger itself is not the effects’ fault', async () => {
  const said = `not authorized to perform: dynamodb:UpdateItem on resource: arn:aws:dynamodb:eu-central-1:1:table/${TABLE}`;

  await expect(writeAnswered(refusal(400, 'AccessDeniedException', said), withEffects)).rejects.toMatchObject({
    transient: false,
  });
});
