import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { CreateTableCommand, DynamoDBClient, ListTablesCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DynamoDbLocal, startDynamoDbLocal } from '../../../infra/local/dynamodb-local.ts';

let server: DynamoDbLocal;
let dynamo: DynamoDBClient;

beforeAll(async () => {
  server = await startDynamoDbLocal();
  dynamo = new DynamoDBClient(server.clientConfig);
});
afterAll(() => server?.stop());

test('gives back the old item when a condition does not hold', async () => {
  await dynamo.send(
    new CreateTableCommand({
      TableName: 'ledger',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  const claim = new UpdateItemCommand({
    TableName: 'ledger',
    Key: { pk: { S: 'partition#orders#0' } },
    UpdateExpression: 'SET epoch = :one',
    ConditionExpression: 'attribute_not_exists(pk)',
    ExpressionAttributeValues: { ':one': { N: '1' } },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  await dynamo.send(claim);

  await expect(dynamo.send(claim)).rejects.toMatchObject({
    name: 'ConditionalCheckFailedException',
    Item: { pk: { S: 'partition#orders#0' }, epoch: { N: '1' } },
  });
});

test('two servers share nothing', async () => {
  await using other = await startDynamoDbLocal();

  expect((await new DynamoDBClient(other.clientConfig).send(new ListTablesCommand({}))).TableNames).toEqual([]);
});

test('is not to be reached from other machines', async () => {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  if (outside === undefined) return;
  const port = Number(new URL(server.endpoint).port);

  await expect(
    new Promise((resolve, reject) => {
      connect(port, outside.address).on('connect', resolve).on('error', reject);
    }),
  ).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
