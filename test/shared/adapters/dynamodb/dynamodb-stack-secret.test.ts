import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test, vi } from 'vitest';
import { dynamoDbStackSecret } from '../../../../shared/adapters/dynamodb/dynamodb-stack-secret.ts';

/** A table that holds one secret: the first that was offered. */
function aTable() {
  let held: Uint8Array | undefined;
  const client = new DynamoDBClient({ region: 'eu-central-1' });
  const send = vi.spyOn(client, 'send').mockImplementation((async ({ input }: { input: never }) => {
    held ??= (input as { ExpressionAttributeValues: Record<string, { B: Uint8Array }> }).ExpressionAttributeValues[
      ':new'
    ]?.B;
    return { Attributes: { secret: { B: held } } };
  }) as never);
  return { client, send };
}

test('who asks first makes the secret, and all others get the same, each with one request', async () => {
  const { client, send } = aTable();
  const first = dynamoDbStackSecret({ client, table: 'ledger' });
  const second = dynamoDbStackSecret({ client, table: 'ledger' });

  const secrets = [await first(), await first(), await second()];

  expect(secrets[0]).toHaveLength(32);
  expect(secrets[1]).toEqual(secrets[0]);
  expect(secrets[2]).toEqual(secrets[0]);
  expect(send).toHaveBeenCalledTimes(2);
  expect(send.mock.calls[0]?.[0].input).toMatchObject({
    TableName: 'ledger',
    Key: { pk: { S: 'secret#signing' } },
    UpdateExpression: 'SET #secret = if_not_exists(#secret, :new)',
    ReturnValues: 'ALL_NEW',
  });
});

test('secrets of two tables differ', async () => {
  const [one, another] = [aTable(), aTable()].map(({ client }) => dynamoDbStackSecret({ client, table: 't' }));
  expect(await one?.()).not.toEqual(await another?.());
});

test('a table that does not answer is asked again the next time', async () => {
  const { client, send } = aTable();
  send.mockRejectedValueOnce(Object.assign(new Error('slow down'), { name: 'ThrottlingException' }) as never);
  const secret = dynamoDbStackSecret({ client, table: 'ledger' });

  await expect(secret()).rejects.toThrow('LEDGER_UNAVAILABLE');
  expect(await secret()).toHaveLength(32);
});

test('an item that holds something else is no secret', async () => {
  const { client, send } = aTable();
  send.mockResolvedValueOnce({ Attributes: { secret: { B: new Uint8Array(3) } } } as never);
  await expect(dynamoDbStackSecret({ client, table: 'ledger' })()).rejects.toThrow('LEDGER_ITEM_UNREADABLE');
});
