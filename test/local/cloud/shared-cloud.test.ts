import { randomUUID } from 'node:crypto';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { logLevel } from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';

test('an order on the shared cloud goes through the deployed consumer into the table', async () => {
  const cloud = inject('localCloud');
  const running = await runConsumers(cloud, { consumers: ['Orders'] });
  onTestFinished(() => running.stop());
  const kafka = kafkaJsClient({ brokers: [cloud.bootstrapServers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const orderId = randomUUID();
  const value = JSON.stringify({ orderId, customerId: 'c-1', amount: 4_200, currency: 'EUR' });

  await producer.send({ topic: 'orders', messages: [{ key: 'c-1', value }] });
  await producer.disconnect();

  const dynamo = new DynamoDBClient(clientConfig(cloud.endpoint));
  const TableName = cloud.deployed.outputs['OrdersTableName'];
  await expect
    .poll(async () => (await dynamo.send(new GetItemCommand({ TableName, Key: { orderId: { S: orderId } } }))).Item, {
      timeout: 180_000,
    })
    .toMatchObject({ amount: { N: '4200' }, applications: { N: '1' } });
});

test('topics have as many partitions as the run asks for, the dead-letter topic too', async () => {
  const admin = kafkaJsClient({ brokers: [inject('localCloud').bootstrapServers], logLevel: logLevel.NOTHING }).admin();
  onTestFinished(() => admin.disconnect());
  await admin.connect();

  const { topics } = await admin.fetchTopicMetadata({
    topics: ['orders', 'Lockstep-Orders-local-Orders-dead-letters'],
  });

  expect(topics.map(({ name, partitions }) => [name, partitions.length]).sort()).toEqual([
    ['Lockstep-Orders-local-Orders-dead-letters', 6],
    ['orders', 6],
  ]);
});
