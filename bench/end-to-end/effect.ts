import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

/** Table that effects go to. */
export const EFFECTS_TABLE = 'bench-effects';

/** The effect of all consumers: one item under the record's position, so that a repeat changes nothing. Without an endpoint there is no effect. */
export function effectAt(endpoint: string | undefined): (position: string) => Promise<void> | undefined {
  if (endpoint === undefined || endpoint === '') return () => undefined;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  return async (position) => {
    await client.send(new PutItemCommand({ TableName: EFFECTS_TABLE, Item: { pk: { S: position } } }));
  };
}
