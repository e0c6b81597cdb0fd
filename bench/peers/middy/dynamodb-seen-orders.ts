import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { SeenOrders } from './seen-orders.ts';

const KEPT_SECONDS = 3_600;

/** The pattern that teams write themselves: a conditional put before, an update after, a delete if it failed. */
export function dynamoDbSeenOrders(table: string): SeenOrders {
  const client = new DynamoDBClient({});
  const Key = (id: string) => ({ id: { S: id } });
  return {
    async take(id, lockedUntil) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: { ...Key(id), state: { S: 'STARTED' }, lockedUntil: { N: String(lockedUntil) }, expiresAt: expiry() },
            ConditionExpression: 'attribute_not_exists(id) OR (#state = :started AND lockedUntil < :now)',
            ExpressionAttributeNames: { '#state': 'state' },
            ExpressionAttributeValues: { ':started': { S: 'STARTED' }, ':now': { N: String(Date.now()) } },
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        );
        return 'taken';
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException && error.Item?.['state']?.S === 'DONE') return 'done';
        throw error;
      }
    },
    async done(id) {
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: Key(id),
          UpdateExpression: 'SET #state = :done, expiresAt = :expiresAt REMOVE lockedUntil',
          ExpressionAttributeNames: { '#state': 'state' },
          ExpressionAttributeValues: { ':done': { S: 'DONE' }, ':expiresAt': expiry() },
        }),
      );
    },
    async giveBack(id) {
      await client.send(new DeleteItemCommand({ TableName: table, Key: Key(id) }));
    },
  };
}

function expiry() {
  return { N: String(Math.floor(Date.now() / 1_000) + KEPT_SECONDS) };
}
