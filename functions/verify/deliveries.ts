import { DeleteItemCommand, DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { Delivery } from './experiment.ts';

const Deliveries = v.array(Delivery);

/** Keeps what was delivered: one item for each run, of which the table has few. Key: `run`. */
export function deliveryTable(TableName: string) {
  const client = new DynamoDBClient({});
  const keyOf = (run: string) => ({ run: { S: run } });
  return {
    async of(run: string): Promise<readonly Delivery[]> {
      const { Item } = await client.send(new GetItemCommand({ TableName, Key: keyOf(run), ConsistentRead: true }));
      return v.parse(
        Deliveries,
        (Item?.['deliveries']?.L ?? []).map(({ S = '' }) => JSON.parse(S)),
      );
    },
    async add(run: string, delivery: Delivery): Promise<void> {
      await client.send(
        new UpdateItemCommand({
          TableName,
          Key: keyOf(run),
          UpdateExpression: 'SET deliveries = list_append(if_not_exists(deliveries, :none), :one)',
          ExpressionAttributeValues: { ':none': { L: [] }, ':one': { L: [{ S: JSON.stringify(delivery) }] } },
        }),
      );
    },
    async forget(run: string): Promise<void> {
      await client.send(new DeleteItemCommand({ TableName, Key: keyOf(run) }));
    },
  };
}
