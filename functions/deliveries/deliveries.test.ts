import { beforeEach, expect, test, vi } from 'vitest';
import { deliver } from '../../shared/testing/deliver.ts';
import { explore } from '../../shared/testing/explore/explore.ts';
import { record } from '../../shared/testing/record.ts';
import type { Shipment } from '../shipments/shipment.ts';
import { deliveriesConsumer } from './deliveries-consumer.ts';
import { handler } from './handler.ts';

const plan = vi.hoisted(() => ({
  planned: [] as string[],
  async add({ orderId }: Shipment) {
    this.planned.push(orderId);
  },
}));
vi.mock('./delivery-table.ts', () => ({ deliveryTable: () => plan }));

beforeEach(() => {
  plan.planned = [];
});

const shipment = (orderId: string, id: string | undefined, partition = 0) =>
  record({
    topic: 'shipments',
    partition,
    value: { orderId, customerId: 'c-1' },
    headers: id === undefined ? {} : { 'x-lockstep-id': id },
  });

test('delivers once what was passed on twice', async () => {
  const { outcomes } = await deliver(handler, [
    shipment('o-1', 'orders-0@0/0'),
    shipment('o-1', 'orders-0@0/0'),
    shipment('o-2', 'orders-0@1/0'),
  ]);

  expect(plan.planned).toEqual(['o-1', 'o-2']);
  expect(outcomes).toEqual({ 'shipments-0@0': 'handled', 'shipments-0@1': 'duplicate', 'shipments-0@2': 'handled' });
});

test('a shipment that Lockstep did not produce is dead-lettered: without an id it cannot be told from its copy', async () => {
  const { deadLetters } = await deliver(handler, [shipment('o-1', undefined)]);

  expect(plan.planned).toEqual([]);
  expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-name')?.value.toString()).toBe(
    'IDEMPOTENCY_KEY_EMPTY',
  );
});

test('each shipment is planned whatever becomes of the process that plans it', async () => {
  await explore({
    world: () => ({
      planned: new Map<string, string>(),
      async add({ orderId, customerId }: Shipment) {
        this.planned.set(orderId, customerId);
      },
    }),
    handler: (table) => deliveriesConsumer(table),
    records: [shipment('o-1', 'orders-0@0/0'), shipment('o-2', 'orders-0@1/0'), shipment('o-1', 'orders-0@0/0', 1)],
    observe: ({ planned }) => planned,
  });
});
