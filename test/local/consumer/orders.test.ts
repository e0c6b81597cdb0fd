import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ConsumersUnderTest, startConsumers } from './consumers-under-test.ts';
import { topicOf } from './fixtures/consumer-intent.ts';
import { applications, order, produceValues } from './orders-under-test.ts';

let consumers: ConsumersUnderTest;
const topic = topicOf({ name: 'Shop' });

/** Credit checks of one partition's orders, in the order in which they were asked for. */
const asked = (partition: number) =>
  consumers.counterpart.calls.filter(({ id }) => id.startsWith(`shop-${partition}-`)).map(({ id }) => id);
const ids = (partition: number) => Array.from({ length: 40 }, (_, index) => `shop-${partition}-${index}`);

beforeAll(async () => {
  consumers = await startConsumers('shop');
  const { counterpart, kafka } = consumers;
  const left = new Map([['shop-0-10', 2]]);
  counterpart.answer(({ id }) => {
    if (id === 'shop-1-20') return 422;
    const failures = left.get(id) ?? 0;
    left.set(id, failures - 1);
    return failures > 0 ? 503 : 204;
  });
  const values = [0, 1, 2].map((partition) => ids(partition).map((id) => order(id)));
  // No order, among the orders of partition 2; and one order of partition 0 again, in partition 2.
  values[2]?.splice(15, 0, order('shop-poison', { amount: 'a lot' }));
  values[2]?.push(order('shop-0-5'));
  for (const [partition, own] of values.entries()) await produceValues(kafka, topic, partition, own);
  await vi.waitFor(async () => expect(await consumers.lag('Shop')).toBe(0), { timeout: 180_000, interval: 500 });
});

afterAll(() => consumers?.stop());

test('every order is applied once, also the one that was produced twice; what is refused is not', async () => {
  const applied = await applications(consumers, 'shop-');

  const expected = [0, 1, 2].flatMap(ids).filter((id) => id !== 'shop-1-20');
  expect(applied).toEqual(Object.fromEntries(expected.map((id) => [id, 1])));
});

test('each partition keeps its order, around an order that fails twice too', () => {
  const tenth = ids(0).flatMap((id) => (id === 'shop-0-10' ? [id, id, id] : [id]));
  expect(asked(0)).toEqual(tenth);
  expect(asked(1)).toEqual(ids(1));
  expect(asked(2)).toEqual(ids(2));
});

test('what is no order, and what the credit service refuses, has its letter with its story', async () => {
  const letters = await consumers.letters('Shop');

  expect(letters).toMatchObject([
    {
      partition: 1,
      key: Buffer.from('customer-1'),
      value: Buffer.from(order('shop-1-20')),
      header: {
        'x-original-topic': topic,
        'x-original-offset': '20',
        'x-stage': 'handler',
        'x-error-name': 'ORDER_CREDIT_REFUSED',
        'x-retry-count': '1',
      },
    },
    {
      partition: 2,
      value: Buffer.from(order('shop-poison', { amount: 'a lot' })),
      header: { 'x-original-offset': '15', 'x-stage': 'validate', 'x-error-name': 'KAFKA_VALUE_INVALID' },
    },
  ]);
});
