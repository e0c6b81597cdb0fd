import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onlyItems } from '../../../infra/constructs/ledger-items.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { type MiniStack, startMiniStack } from '../../../infra/local/ministack.ts';
import { assumeRole } from '../../../infra/local/role-credentials.ts';

const TABLE = 'Ledger';
const OTHER_TABLE = 'Orders';

let miniStack: MiniStack;
let asRole: DynamoDBClient;

beforeAll(async () => {
  miniStack = await startMiniStack();
  const config = clientConfig(miniStack.endpoint);
  const root = new DynamoDBClient(config);
  for (const [TableName, AttributeName] of [
    [TABLE, 'pk'],
    [OTHER_TABLE, 'orderId'],
  ] as const) {
    await root.send(
      new CreateTableCommand({
        TableName,
        KeySchema: [{ AttributeName, KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName, AttributeType: 'S' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
  }
  root.destroy();
  const iam = new IAMClient(config);
  const RoleName = 'Consumer';
  const trust = { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify({ Statement: [trust] }) }),
  );
  const table = (name: string) => `arn:aws:dynamodb:us-east-1:000000000000:table/${name}`;
  const Statement = [
    {
      Effect: 'Allow',
      Action: 'dynamodb:*',
      Resource: table(TABLE),
      Condition: onlyItems(['partition#c#own#*', 'key#own#*']),
    },
    { Effect: 'Allow', Action: 'dynamodb:*', Resource: table(OTHER_TABLE) },
  ];
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'Own', PolicyDocument }));
  iam.destroy();
  const credentials = await assumeRole(miniStack.endpoint, Role?.Arn ?? '');
  asRole = new DynamoDBClient({ ...config, credentials });
});

afterAll(async () => {
  asRole?.destroy();
  await miniStack?.stop();
});

/** What a role may do with an item of that key, by each kind of request that the ledger makes. */
function requests(key: string): Record<string, () => Promise<unknown>> {
  const Key = { pk: { S: key } };
  const update = {
    TableName: TABLE,
    Key,
    UpdateExpression: 'SET a = :a',
    ExpressionAttributeValues: { ':a': { N: '1' } },
  };
  const ordered = { Put: { TableName: OTHER_TABLE, Item: { orderId: { S: 'o-1' } } } };
  return {
    GetItem: () => asRole.send(new GetItemCommand({ TableName: TABLE, Key })),
    UpdateItem: () => asRole.send(new UpdateItemCommand(update)),
    PutItem: () => asRole.send(new PutItemCommand({ TableName: TABLE, Item: Key })),
    BatchGetItem: () => asRole.send(new BatchGetItemCommand({ RequestItems: { [TABLE]: { Keys: [Key] } } })),
    'a transaction with an item of another table': () =>
      asRole.send(new TransactWriteItemsCommand({ TransactItems: [{ Update: update }, ordered] })),
    'a statement of a batch': () => {
      const Statement = `UPDATE "${TABLE}" SET v=? WHERE pk=?`;
      const Statements = [{ Statement, Parameters: [{ N: '2' }, { S: key }] }];
      return asRole.send(new BatchExecuteStatementCommand({ Statements }));
    },
  };
}

describe('a role that is granted its own items of a table', () => {
  test.each(Object.keys(requests('')))('uses them: %s', async (name) => {
    await expect(requests('partition#c#own#orders#0')[name]?.()).resolves.toBeDefined();
  });

  test.each(Object.keys(requests('')))('uses no others: %s', async (name) => {
    await expect(requests('partition#c#other#orders#0')[name]?.()).rejects.toThrow('is not authorized to perform');
  });

  test('inserts keys of its own namespace in batches of statements, and of no other', async () => {
    const inserted = (key: string) => {
      const Statement = `INSERT INTO "${TABLE}" VALUE {'pk': ?, 'v': ?}`;
      const Statements = [{ Statement, Parameters: [{ S: key }, { N: '2' }] }];
      return asRole.send(new BatchExecuteStatementCommand({ Statements }));
    };
    await expect(inserted('key#own#a')).resolves.toMatchObject({ Responses: [{ TableName: TABLE }] });
    await expect(inserted('key#other#a')).rejects.toThrow('is not authorized to perform: dynamodb:PartiQLInsert');
  });

  test('gets nothing where one of several items is another’s', async () => {
    const Keys = ['partition#c#own#orders#0', 'partition#c#other#orders#0'].map((S) => ({ pk: { S } }));
    await expect(asRole.send(new BatchGetItemCommand({ RequestItems: { [TABLE]: { Keys } } }))).rejects.toThrow(
      'is not authorized to perform: dynamodb:BatchGetItem',
    );
  });

  test('may not scan: a request without a key is of no item that it has', async () => {
    await expect(asRole.send(new ScanCommand({ TableName: TABLE }))).rejects.toThrow(
      'is not authorized to perform: dynamodb:Scan',
    );
  });
});
