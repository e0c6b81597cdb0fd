import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import type { Kafka } from 'kafkajs';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import type { ConsumersUnderTest } from './consumers-under-test.ts';

/** An order as the shop produces it. */
export function order(orderId: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ orderId, customerId: 'customer-1', amount: 100, currency: 'EUR', ...more });
}

/** Produces values to one partition, in one batch. */
export async function produceValues(
  kafka: Kafka,
  topic: string,
  partition: number,
  values: readonly string[],
): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    const messages = values.map((value) => ({ partition, key: 'customer-1', value }));
    await producer.send({ topic, acks: -1, messages });
  } finally {
    await producer.disconnect();
  }
}

/** How often each order whose id begins so was applied. */
export async function applications(
  { cloud }: ConsumersUnderTest,
  prefix: string,
): Promise<Readonly<Record<string, number>>> {
  const client = new DynamoDBClient(clientConfig(cloud.endpoint));
  const TableName = cloud.deployed.outputs['OrdersTableName'];
  const found: Record<string, number> = {};
  for await (const { Items = [] } of paginateScan({ client }, { TableName })) {
    for (const { orderId, applications } of Items) {
      if (orderId?.S?.startsWith(prefix)) found[orderId.S] = Number(applications?.N);
    }
  }
  client.destroy();
  return found;
}
