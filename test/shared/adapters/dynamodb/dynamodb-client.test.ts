import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { dynamoDbClient } from '../../../../shared/adapters/dynamodb/dynamodb-client.ts';

test('puts the keys of a batch of a hundred side by side: none waits for the answer to another', async () => {
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume();
    waiting.push(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const client = dynamoDbClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestTimeoutMs: 30_000,
    connectionTimeoutMs: 30_000,
  });

  const puts = Array.from({ length: 100 }, (_, index) =>
    client.send(new PutItemCommand({ TableName: 'keys', Item: { pk: { S: `key-${index}` } } })),
  );
  // No answer is given before all have asked.
  await expect.poll(() => waiting.length, { timeout: 120_000 }).toBe(100);
  for (const response of waiting) response.end('{}');
  await Promise.all(puts);

  client.destroy();
  server.close();
});

test('keeps no log of requests, and copies none for one', () => {
  const logger = 'loggerMiddleware - initialize';
  const client = dynamoDbClient({ region: 'eu-central-1' });

  expect(new DynamoDBClient({ region: 'eu-central-1' }).middlewareStack.identify()).toContain(logger);
  expect(client.middlewareStack.identify()).not.toContain(logger);
});
