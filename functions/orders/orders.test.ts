import { beforeEach, expect, test, vi } from 'vitest';
import { deliver } from '../../shared/testing/deliver.ts';
import { explore } from '../../shared/testing/explore/explore.ts';
import { record } from '../../shared/testing/record.ts';
import { handler } from './handler.ts';
import type { Order } from './order.ts';
import { ordersConsumer } from './orders-consumer.ts';

const book = vi.hoisted(() => ({
  written: [] as string[],
  failures: 0,
  async write({ orderId }: Order) {
    if (this.failures-- > 0) throw new Error('throttled');
    this.written.push(orderId);
  },
}));
vi.mock('./order-book.ts', () => ({ orderTable: () => book }));

beforeEach(() => Object.assign(book, { written: [], failures: 0 }));

const order = (orderId: string, change: object = {}, partition = 0) =>
  record({ partition, key: 'c-1', value: { orderId, customerId: 'c-1', amount: 1_999, currency: 'EUR', ...change } });

test('writes each order down once, though a producer wrote it twice', async () => {
  const { outcomes } = await deliver(handler, [order('o-1'), order('o-2'), order('o-1')]);

  expect(book.written).toEqual(['o-1', 'o-2']);
  expect(outcomes['orders-0@2']).toBe('duplicate');
});

test('tries an order again before any later one', async () => {
  book.failures = 4;

  const { deadLetters } = await deliver(handler, [order('o-1'), order('o-2')]);

  expect(book.written).toEqual(['o-1', 'o-2']);
  expect(deadLetters).toEqual([]);
});

test('a value that is not an order is dead-lettered, and the others are handled', async () => {
  const { deadLetters } = await deliver(handler, [order('o-1', { currency: 'euro' }), order('o-2')]);

  expect(book.written).toEqual(['o-2']);
  expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-name')?.value.toString()).toBe(
    'KAFKA_VALUE_INVALID',
  );
});

test('an order with the number of another order is dead-lettered', async () => {
  const { outcomes, deadLetters } = await deliver(handler, [order('o-1'), order('o-1', { amount: 5 })]);

  expect(outcomes).toEqual({ 'orders-0@0': 'handled', 'orders-0@1': 'deadLettered' });
  expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-name')?.value.toString()).toBe(
    'IDEMPOTENCY_KEY_REUSED',
  );
});

test('an order is written down whatever becomes of the process that applies it', async () => {
  await explore({
    world: () => ({
      checked: new Set<string>(),
      written: new Map<string, number>(),
      async check({ orderId }: Order) {
        this.checked.add(orderId);
      },
      async write({ orderId, amount }: Order) {
        this.written.set(orderId, amount);
      },
    }),
    handler: (shop) => ordersConsumer(shop, (one) => shop.check(one)),
    records: [order('o-1'), order('o-2', { amount: 5 }), order('o-1')],
    observe: ({ checked, written }) => ({ checked, written }),
  });
});
