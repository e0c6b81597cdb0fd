import { expect, test } from 'vitest';
import { LockstepError } from '../../shared/lockstep-consumer.ts';
import { deliver } from '../../shared/testing/deliver.ts';
import { explore } from '../../shared/testing/explore/explore.ts';
import { record } from '../../shared/testing/record.ts';
import { handler } from './handler.ts';

const order = (orderId: string, amount = 1_999) =>
  record({ key: 'c-1', value: { orderId, customerId: 'c-1', amount, currency: 'EUR' } });

test('passes a shipment on for each order, under the order’s key', async () => {
  const { produced } = await deliver(handler, [order('o-1'), order('o-2', 0), order('o-3')]);

  expect(produced.map(({ topic, key, value }) => [topic, key?.toString(), value?.toString()])).toEqual([
    ['shipments', 'c-1', '{"orderId":"o-1","customerId":"c-1"}'],
    ['shipments', 'c-1', '{"orderId":"o-3","customerId":"c-1"}'],
  ]);
});

test('gives a shipment the same id when it is passed on again after a crash', async () => {
  const first = await deliver(handler, [order('o-1')]);
  const again = await deliver(handler, [order('o-1')], { crash: { afterRun: 1 } });

  const id = first.produced[0]?.headers.find(({ name }) => name === 'x-lockstep-id')?.value.toString();
  expect(id).toMatch(/\/orders-0@0\//);
  expect(again.produced[0]?.headers.find(({ name }) => name === 'x-lockstep-id')?.value.toString()).toBe(id);
});

test('waits for a broker that cannot be reached, and counts no attempt of the order', async () => {
  const { produced, deadLetters } = await deliver(handler, [order('o-1')], {
    failProduce: Array.from({ length: 10 }, () => new LockstepError('BROKER_UNREACHABLE', 'no broker answers')),
  });

  expect(produced).toHaveLength(1);
  expect(deadLetters).toEqual([]);
});

test('each order passes one shipment on, whatever becomes of the process that does it', async () => {
  await explore({
    world: () => ({}),
    handler: () => handler,
    records: [order('o-1'), order('o-2', 0), order('o-3')],
    observe: (_, { produced }) => produced.map(({ value }) => value?.toString()).sort(),
  });
});
