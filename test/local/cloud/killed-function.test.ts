import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { logLevel } from 'kafkajs';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { startCreditService } from '../../../infra/local/demo/credit-service.ts';
import { openStacks } from '../../../infra/local/deploy-stacks.ts';
import { setFunction } from '../../../infra/local/function-settings.ts';
import { killFunctionWorkers } from '../../../infra/local/function-workers.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { topicOf } from '../consumer/fixtures/consumer-intent.ts';
import { CONSUMERS_STACK } from '../consumer/fixtures/consumers-stack.ts';

const ORDERS = 300;
/** The processes are killed when the credit service has seen so many requests. */
const KILLED_AT = [50, 150];

test('killing the function in mid-batch loses no order and changes no order', async () => {
  const credit = await startCreditService({});
  onTestFinished(() => credit.stop());
  const cloud = await openStacks(inject('localCloud'), [CONSUMERS_STACK], { consumers: ['KilledOrders'] });
  const [orders] = cloud.deployed.consumers;
  if (orders === undefined) throw new Error('no orders consumer');
  await setFunction(cloud.endpoint, orders.function, { environment: { CREDIT_CHECK_URL: credit.url } });
  const running = await runConsumers(cloud);
  onTestFinished(() => running.stop());
  const ids = Array.from({ length: ORDERS }, (_, index) => `killed-order-${String(index).padStart(3, '0')}`);
  const producer = kafkaJsClient({ brokers: [cloud.bootstrapServers], logLevel: logLevel.NOTHING }).producer({
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  const messages = ids.map((orderId, index) => ({
    partition: index % 3,
    key: orderId,
    value: JSON.stringify({ orderId, customerId: 'c-1', amount: index, currency: 'EUR' }),
  }));
  await producer.send({ topic: topicOf(orders), messages });
  await producer.disconnect();

  for (const seen of KILLED_AT) {
    await vi.waitFor(() => expect(credit.requests.length).toBeGreaterThanOrEqual(seen), {
      timeout: 180_000,
      interval: 5,
    });
    expect(await killFunctionWorkers(cloud, orders.function)).toBeGreaterThan(0);
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
  const client = new DynamoDBClient(clientConfig(cloud.endpoint));
  await expect
    .poll(
      async () => {
        const found: string[] = [];
        const scan = paginateScan({ client }, { TableName: cloud.deployed.outputs['OrdersTableName'] });
        for await (const { Items = [] } of scan) found.push(...Items.map(({ orderId }) => orderId?.S ?? ''));
        // The table is that of other consumers too.
        return found.filter((id) => id.startsWith('killed-order-')).sort();
      },
      { timeout: 30_000 },
    )
    .toEqual(ids);
});
