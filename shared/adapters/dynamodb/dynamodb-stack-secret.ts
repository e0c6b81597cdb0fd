import { randomBytes } from 'node:crypto';
import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { LockstepError } from '../../errors.ts';
import { loadOnce } from '../../load-once.ts';
import type { StackSecret } from '../../ports/stack-secret.ts';
import { STACK_SECRET_KEY } from '../../record/item-identifier.ts';
import { type DynamoDbStoreOptions, failingAs } from './dynamodb-ledger-store.ts';

const SECRET_BYTES = 32;

/**
 * The secret as an item of the ledger's table. The first process creates it; all others read the same one. It is read once in
 * each process.
 */
export function dynamoDbStackSecret({ client, table }: DynamoDbStoreOptions): StackSecret {
  return loadOnce(() => failingAs(table, 'a look at the secret', () => makeOrRead(client, table)));
}

async function makeOrRead(client: DynamoDBClient, table: string): Promise<Buffer> {
  const { Attributes } = await client.send(
    new UpdateItemCommand({
      TableName: table,
      Key: { pk: { S: STACK_SECRET_KEY } },
      UpdateExpression: 'SET #secret = if_not_exists(#secret, :new)',
      ExpressionAttributeNames: { '#secret': 'secret' },
      ExpressionAttributeValues: { ':new': { B: randomBytes(SECRET_BYTES) } },
      ReturnValues: 'ALL_NEW',
    }),
  );
  const bytes = Attributes?.['secret']?.B;
  if (bytes?.length !== SECRET_BYTES)
    throw new LockstepError('LEDGER_ITEM_UNREADABLE', `item ${STACK_SECRET_KEY} of table ${table} holds no secret`);
  return Buffer.from(bytes);
}
