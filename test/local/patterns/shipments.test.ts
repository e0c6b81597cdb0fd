import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { killFunctionWorkers } from '../../../infra/local/function-workers.ts';
import { patternCloud } from './pattern-cloud.ts';

const ORDERS = 300;
/** Partitions of the shipments' topic: one record runs at a time in each. */
const IN_FLIGHT = 6;

test('functions/shipments passes each order on, and functions/deliveries applies each once, whatever dies', {
  timeout: 600_000,
}, async () => {
  const { cloud, produce, items, records, consumer } = await patternCloud();
  const run = randomUUID();
  const ids = Array.from({ length: ORDERS }, (_, index) => `${run}-${String(index).padStart(3, '0')}`);
  const passedOn = async () => (await records('shipments')).filter(({ value }) => value.includes(run));
  const delivered = async () =>
    (await items('DeliveriesTableName')).filter(({ orderId }) => orderId?.S?.startsWith(run));

  const running = await runConsumers(cloud, { consumers: ['Shipments', 'Deliveries'] });
  onTestFinished(() => running.stop());
  await produce(
    'orders',
    ids.map((orderId, index) => ({
      key: `c-${index % 10}`,
      value: JSON.stringify({ orderId, customerId: `c-${index % 10}`, amount: 1 + index, currency: 'EUR' }),
    })),
  );
  await expect.poll(async () => (await delivered()).length, { timeout: 180_000, interval: 50 }).toBeGreaterThan(20);
  await killFunctionWorkers(cloud, consumer('Shipments').function);
  await killFunctionWorkers(cloud, consumer('Deliveries').function);
  const beforeTheDeath = new Set((await delivered()).map(({ orderId }) => orderId?.S));
  await expect.poll(async () => (await delivered()).length, { timeout: 240_000, interval: 500 }).toBe(ORDERS);

  const shipments = await passedOn();
  const idsOf = new Map<string, Set<string>>();
  for (const { value, headers } of shipments) {
    const { orderId } = JSON.parse(value);
    idsOf.set(orderId, (idsOf.get(orderId) ?? new Set()).add(headers['x-lockstep-id'] ?? ''));
  }
  console.log(`${shipments.length} shipments for ${ORDERS} orders`);
  expect(shipments.length).toBeGreaterThanOrEqual(ORDERS);
  // Passed on twice or not, an order's shipment has one id.
  expect([...idsOf.keys()].sort()).toEqual(ids);
  expect([...idsOf.values()].every((ids) => ids.size === 1)).toBe(true);
  expect(new Set([...idsOf.values()].flatMap((ids) => [...ids])).size).toBe(ORDERS);
  // More than once only where a death hid that it was done: what a handler does outside `transact` may be repeated then. A
  // request that was under way when the process died may land a little later: one in each partition.
  const repeated = (await delivered()).filter(({ deliveries }) => Number(deliveries?.N) > 1);
  const since = repeated.filter(({ orderId }) => !beforeTheDeath.has(orderId?.S));
  console.log(`${repeated.length} delivered again, of ${beforeTheDeath.size} before the death`);
  expect(since.length).toBeLessThanOrEqual(IN_FLIGHT);
  expect(repeated.every(({ deliveries }) => deliveries?.N === '2')).toBe(true);
});

test('a shipment that is in the topic twice is delivered once', async () => {
  const { cloud, produce, items } = await patternCloud();
  const run = randomUUID();
  const shipment = (orderId: string, partition: number) => ({
    partition,
    key: orderId,
    value: JSON.stringify({ orderId: `${run}-${orderId}`, customerId: 'c-1' }),
    headers: { 'x-lockstep-id': `${run}/${orderId}` },
  });

  const running = await runConsumers(cloud, { consumers: ['Deliveries'] });
  onTestFinished(() => running.stop());
  // In two partitions too: the id is what counts, not the place.
  await produce('shipments', [
    shipment('a', 0),
    shipment('a', 0),
    shipment('a', 1),
    shipment('b', 2),
    shipment('end', 0),
    shipment('end', 1),
  ]);

  await expect
    .poll(
      async () => {
        const ours = (await items('DeliveriesTableName')).filter(({ orderId }) => orderId?.S?.startsWith(run));
        return Object.fromEntries(
          ours.map(({ orderId, deliveries }) => [orderId?.S?.slice(run.length + 1), deliveries?.N]),
        );
      },
      { timeout: 180_000 },
    )
    .toEqual({ a: '1', b: '1', end: '1' });
});
