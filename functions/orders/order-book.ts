import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { OrderBook } from './apply-order.ts';

/** The Orders table, keyed by order id. */
export function orderTable(tableName: string | undefined, client: DynamoDBClient = new DynamoDBClient({})): OrderBook {
  return {
    write: async ({ orderId, customerId, amount, currency }) => {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { orderId: { S: orderId } },
          UpdateExpression:
            'SET customerId = :customer, amount = :amount, currency = :currency, appliedAt = :now ADD applications :one',
          ExpressionAttributeValues: {
            ':customer': { S: customerId },
            ':amount': { N: String(amount) },
            ':currency': { S: currency },
            ':now': { N: String(Date.now()) },
            ':one': { N: '1' },
          },
        }),
      );
    },
  };
}
