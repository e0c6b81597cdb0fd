import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DeviceTable } from './upsert-devices.ts';

/** Most items of one BatchWriteItem. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html */
const MAX_ITEMS = 25;

/** The Devices table, keyed by device id; written 25 to a request. */
export function deviceTable(
  tableName: string | undefined,
  client: DynamoDBClient = new DynamoDBClient({}),
): DeviceTable {
  const table = tableName ?? '';
  return {
    putAll: async (events, signal) => {
      for (let start = 0; start < events.length; start += MAX_ITEMS) {
        const requests = events.slice(start, start + MAX_ITEMS).map(({ deviceId, celsius }) => ({
          PutRequest: { Item: { deviceId: { S: deviceId }, celsius: { N: String(celsius) } } },
        }));
        const command = new BatchWriteItemCommand({ RequestItems: { [table]: requests } });
        const { UnprocessedItems = {} } = await client.send(command, { abortSignal: signal });
        const left = UnprocessedItems[table]?.length ?? 0;
        // DynamoDB throttled the request. That is no record's fault, so no record is named, and the whole call is tried again.
        if (left > 0) throw new Error(`${left} of ${requests.length} devices were not written`);
      }
    },
  };
}
