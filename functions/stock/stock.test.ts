import { expect, test } from 'vitest';
import { byPosition, json, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { deliver, deliverySteps } from '../../shared/testing/deliver.ts';
import { record } from '../../shared/testing/record.ts';
import { changeStock } from './change-stock.ts';
import { handler } from './handler.ts';
import { StockChange } from './stock-change.ts';

const change = (sku: string, type: 'ADD' | 'REMOVE', quantity: number, warehouse = '') =>
  record({
    topic: 'stock',
    key: sku,
    value: { changeId: `${sku}-${type}`, sku, type, quantity, warehouse: warehouse || 'main' },
  });

test('a change in an unknown warehouse parks its SKU: what follows it waits, other SKUs go on', async () => {
  process.env['WAREHOUSES'] = 'main';
  const { outcomes } = await deliver(handler, [
    change('a', 'ADD', 100, 'new'),
    change('a', 'REMOVE', 50),
    change('b', 'ADD', 1, 'new'),
  ]);

  expect(outcomes).toEqual({ 'stock-0@0': 'parked', 'stock-0@1': 'parked', 'stock-0@2': 'parked' });
});

test('a release that nothing has mended leaves all of it parked', async () => {
  process.env['WAREHOUSES'] = 'main';
  const { outcomes, effects } = await deliver(handler, [change('a', 'ADD', 100, 'new'), change('a', 'REMOVE', 50)], {
    releases: 1,
  });

  expect(outcomes).toEqual({ 'stock-0@0': 'parked', 'stock-0@1': 'parked' });
  expect(effects).toEqual([]);
});

test('once the warehouse is known a release applies the changes in order', async () => {
  const broken = lockstepConsumer({
    value: json(StockChange),
    idempotencyKey: byPosition,
    order: 'key',
    retry: { onExhausted: 'park' },
    onRecord: ({ value }, { transact }) => transact(changeStock({ table: 't', warehouses })(value)),
  });
  const warehouses = ['main'];
  const steps = deliverySteps(broken, [change('a', 'ADD', 100, 'new'), change('a', 'REMOVE', 50)], { releases: 1 });
  let step = await steps.next();
  for (; !step.done; step = await steps.next()) warehouses.push('new');

  expect(step.value.outcomes).toEqual({ 'stock-0@0': 'handled', 'stock-0@1': 'handled' });
  expect(step.value.effects.map(({ Update }) => Update?.ExpressionAttributeValues?.[':quantity'])).toEqual([
    { N: '100' },
    { N: '-50' },
  ]);
});

test('the level never falls below zero', () => {
  const move = changeStock({ table: 't', warehouses: ['main'] });
  const remove = { changeId: 'c', sku: 'a', type: 'REMOVE', quantity: 50, warehouse: 'main' } as const;

  expect(move(remove).Update).toMatchObject({
    ConditionExpression: '#level >= :least',
    ExpressionAttributeValues: { ':quantity': { N: '-50' }, ':least': { N: '50' } },
  });
  expect(move({ ...remove, type: 'ADD' }).Update).not.toHaveProperty('ConditionExpression');
});
