import { expect, test } from 'vitest';
import { consumerOfTopic, consumersOf, consumersOfAll, oneConsumer } from '../../cli/consumer.ts';

const FACTS = {
  FunctionName: 'f',
  MappingId: 'm-1',
  Topic: 'orders',
  ConsumerGroup: 'g',
  DeadLetterTopic: 'orders-dead-letters',
  FallbackQueueUrl: 'https://q',
  LedgerTable: 'ledger',
  ClusterId: 'uuid',
  OperatorFunctionName: 'operator',
};
const OUTPUTS: Record<string, string> = {
  OrdersLockstepConsumer: JSON.stringify(FACTS),
  OrdersTableName: 'another table',
};

test('finds a consumer in the outputs of its stack', () => {
  expect(consumersOf(OUTPUTS)).toEqual([
    {
      name: 'Orders',
      stack: '',
      mappingId: 'm-1',
      topic: 'orders',
      group: 'g',
      deadLetterTopic: 'orders-dead-letters',
      ledgerTable: 'ledger',
      cluster: 'uuid',
      fallbackQueueUrl: 'https://q',
      functionName: 'f',
      operatorFunctionName: 'operator',
    },
  ]);
});

test('names what an older deployment does not say', () => {
  const { ClusterId: _, ...older } = FACTS;
  expect(() => consumersOf({ OrdersLockstepConsumer: JSON.stringify(older) })).toThrow(
    'the output OrdersLockstepConsumer of its stack does not say ClusterId: another version of Lockstep deployed it',
  );
});

test('asks which consumer is meant where there are several', () => {
  const orders = consumersOf(OUTPUTS);
  const both = [...orders, ...orders.map((one) => ({ ...one, name: 'Payments' }))];
  expect(oneConsumer(both, 'payments').name).toBe('Payments');
  expect(() => oneConsumer(both, undefined)).toThrow('expected --consumer with one of: Orders, Payments');
  expect(() => oneConsumer(both, 'Invoices')).toThrow(
    'there is no consumer Invoices; the consumers are: Orders, Payments',
  );
});

test('consumers of one name in two stacks are both there, each under its stack', () => {
  const all = consumersOfAll(
    new Map([
      ['Dev', OUTPUTS],
      ['Prod', { OrdersLockstepConsumer: JSON.stringify({ ...FACTS, MappingId: 'm-2' }) }],
    ]),
  );
  expect(all.map(({ name, mappingId }) => [name, mappingId])).toEqual([
    ['Dev/Orders', 'm-1'],
    ['Prod/Orders', 'm-2'],
  ]);
  expect(oneConsumer(all, 'prod/orders').mappingId).toBe('m-2');
  expect(() => oneConsumer(all, 'Orders')).toThrow('expected --consumer with one of: Dev/Orders, Prod/Orders');
});

test('a consumer of a single stack may be named with it', () => {
  expect(oneConsumer(consumersOfAll(new Map([['Prod', OUTPUTS]])), 'Prod/Orders').name).toBe('Orders');
});

test('a name in the right case is that consumer, even if another has a similar name', () => {
  const [orders] = consumersOf(OUTPUTS);
  if (orders === undefined) throw new Error('no consumer');
  const both = [orders, { ...orders, name: 'ORDERS', mappingId: 'm-2' }];
  expect(oneConsumer(both, 'ORDERS').mappingId).toBe('m-2');
  expect(() => oneConsumer(both, 'orders')).toThrow('expected --consumer with one of: Orders, ORDERS');
});

test('a record belongs to the consumer that reads its topic, and to no other', () => {
  const [orders] = consumersOf(OUTPUTS);
  if (orders === undefined) throw new Error('no consumer');
  const both = [orders, { ...orders, name: 'Payments', topic: 'payments' }];
  expect(consumerOfTopic(both, undefined, 'payments').name).toBe('Payments');
  expect(() => consumerOfTopic(both, 'Payments', 'orders')).toThrow(
    'none of the named consumers reads topic orders: Payments reads payments',
  );
  const shipments = { ...orders, name: 'Shipments' };
  expect(() => consumerOfTopic([...both, shipments], undefined, 'orders')).toThrow(
    'expected --consumer with one of: Orders, Shipments',
  );
});
