import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

/** Table that effects go to. */
export const EFFECTS_TABLE = 'bench-effects';

/** What all consumers do with a record: one item under its position, so that twice is once. Nothing where there is no endpoint. */
export function effectAt(endpoint: string | undefined): (position: string) => Promise<void> | undefined {
  if (endpoint === undefined || endpoint === '') return () => undefined;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  return async (position) => {
    await client.send(new PutItemCommand({ TableName: EFFECTS_TABLE, Item: { pk: { S: position } } }));
  };
}
