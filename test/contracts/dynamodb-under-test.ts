import {
  CreateTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { lookUpKeys } from '../../shared/adapters/dynamodb/dynamodb-key-look-up.ts';
import { dynamoDbKeyStore } from '../../shared/adapters/dynamodb/dynamodb-key-store.ts';
import { dynamoDbLedgerStore } from '../../shared/adapters/dynamodb/dynamodb-ledger-store.ts';
import { dynamoDbParkedKeys } from '../../shared/adapters/dynamodb/dynamodb-parked-keys.ts';
import { effectPut } from './fake-under-test.ts';
import type { LedgerUnderTest } from './ledger-under-test.ts';

/** Name of the ledger's table in these tests. */
export const LEDGER_TABLE = 'lockstep-ledger';
const EFFECTS_TABLE = 'accounts';

/** Makes the ledger's table, and one for effects, on a real server. */
export async function createTables(client: DynamoDBClient): Promise<void> {
  for (const TableName of [LEDGER_TABLE, EFFECTS_TABLE]) {
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      }),
    );
    await waitUntilTableExists({ client, minDelay: 0.05, maxDelay: 1, maxWaitTime: 30 }, { TableName });
  }
}

/** The adapters on a server that has the tables. */
export function dynamoDbUnderTest(client: DynamoDBClient): LedgerUnderTest {
  const clock = { sleep: async () => {} };
  return {
    ledger: dynamoDbLedgerStore({ client, table: LEDGER_TABLE }),
    parkedKeys: dynamoDbParkedKeys({ client, table: LEDGER_TABLE, clock }),
    keys: dynamoDbKeyStore({ client, table: LEDGER_TABLE, clock }),
    keyItem: async (key) => (await lookUpKeys({ client, table: LEDGER_TABLE, clock }, [key]))[0],
    effect: (id, condition) => effectPut(EFFECTS_TABLE, id, condition),
    async hasEffect(id) {
      const Key = { pk: { S: id } };
      const { Item } = await client.send(new GetItemCommand({ TableName: EFFECTS_TABLE, Key, ConsistentRead: true }));
      return Item !== undefined;
    },
  };
}
