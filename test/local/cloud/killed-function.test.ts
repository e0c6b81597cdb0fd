import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { logLevel } from 'kafkajs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startCreditService } from '../../../infra/local/demo/credit-service.ts';
import { killFunctionWorkers } from '../../../infra/local/function-workers.ts';
import { startLocalCloud } from '../../../infra/local/local-cloud.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';

const ORDERS = 300;
/** The processes are killed when the credit service has seen so many requests. */
const KILLED_AT = [50, 150];

test('killing the function in mid-batch loses no order and changes no order', { timeout: 240_000 }, async () => {
  const credit = await startCreditService({});
  onTestFinished(() => credit.stop());
  const cloud = await startLocalCloud({ context: { creditCheckUrl: credit.url } });
  onTestFinished(() => cloud.stop());
  const { description } = cloud;
  const orders = description.deployed.consumers.find(({ name }) => name === 'Orders');
  if (orders === undefined) throw new Error('no orders consumer');
  const ids = Array.from({ length: ORDERS }, (_, index) => `order-${String(index).padStart(3, '0')}`);
  const producer = kafkaJsClient({ brokers: [description.bootstrapServers], logLevel: logLevel.NOTHING }).producer({
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  const messages = ids.map((orderId, index) => ({
    partition: index % 3,
    key: orderId,
    value: JSON.stringify({ orderId, customerId: 'c-1', amount: index, currency: 'EUR' }),
  }));
  await producer.send({ topic: 'orders', messages });
  await producer.disconnect();

  for (const seen of KILLED_AT) {
    await vi.waitFor(() => expect(credit.requests.length).toBeGreaterThanOrEqual(seen), {
      timeout: 60_000,
      interval: 5,
    });
    expect(await killFunctionWorkers(description, orders.function)).toBeGreaterThan(0);
  }
  await vi.waitFor(() => expect(new Set(credit.requests.map(({ orderId }) => orderId)).size).toBe(ORDERS), {
    timeout: 150_000,
    interval: 100,
  });

  const firstTries = [...new Set(credit.requests.map(({ orderId }) => orderId))];
  for (const partition of [0, 1, 2]) {
    const ofPartition = ids.filter((_, index) => index % 3 === partition);
    expect(firstTries.filter((id) => ofPartition.includes(id))).toEqual(ofPartition);
  }
  const client = new DynamoDBClient(clientConfig(description.endpoint));
  await expect
    .poll(
      async () => {
        const found: string[] = [];
        const scan = paginateScan({ client }, { TableName: description.deployed.outputs['OrdersTableName'] });
        for await (const { Items = [] } of scan) found.push(...Items.map(({ orderId }) => orderId?.S ?? ''));
        return found.sort();
      },
      { timeout: 30_000 },
    )
    .toEqual(ids);
});
