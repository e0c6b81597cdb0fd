import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { patternCloud } from './pattern-cloud.ts';

test('functions/orders applies each order once, though it was written twice, and letters what is none', {
  timeout: 600_000,
}, async () => {
  const { cloud, produce, items, records } = await patternCloud();
  const run = randomUUID();
  const order = (orderId: string, partition: number, change: object = {}) => ({
    partition,
    key: orderId,
    value: JSON.stringify({ orderId: `${run}-${orderId}`, customerId: 'c-1', amount: 100, currency: 'EUR', ...change }),
    headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  });

  const running = await runConsumers(cloud, { consumers: ['Orders'] });
  onTestFinished(() => running.stop());
  await produce('orders', [
    order('a', 0),
    order('b', 0, { currency: 'euro' }),
    order('a', 0),
    order('c', 0),
    order('a', 1),
    order('d', 1),
  ]);

  await expect
    .poll(
      async () => {
        const ours = (await items('OrdersTableName')).filter(({ orderId }) => orderId?.S?.startsWith(run));
        return Object.fromEntries(ours.map(({ orderId, applications }) => [orderId?.S?.slice(-1), applications?.N]));
      },
      { timeout: 180_000 },
    )
    .toEqual({ a: '1', c: '1', d: '1' });
  const letters = (await records('Lockstep-Orders-local-Orders-dead-letters')).filter(({ value }) =>
    value.includes(run),
  );
  expect(letters).toMatchObject([
    {
      key: 'b',
      headers: {
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        'x-original-topic': 'orders',
        'x-original-partition': '0',
        'x-retry-count': '1',
        'x-error-name': 'KAFKA_VALUE_INVALID',
        'x-stage': 'validate',
      },
    },
  ]);
});
