import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { DeliveryPlan } from './deliver-shipment.ts';

/** The Deliveries table, keyed by order id. */
export function deliveryTable(
  tableName: string | undefined,
  client: DynamoDBClient = new DynamoDBClient({}),
): DeliveryPlan {
  return {
    add: async ({ orderId, customerId }) => {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { orderId: { S: orderId } },
          UpdateExpression: 'SET customerId = :customer ADD deliveries :one',
          ExpressionAttributeValues: { ':customer': { S: customerId }, ':one': { N: '1' } },
        }),
      );
    },
  };
}
