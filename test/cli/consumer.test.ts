import { expect, test } from 'vitest';
import { consumersOf, oneConsumer } from '../../cli/consumer.ts';

const OUTPUTS = {
  OrdersFunctionName: 'f',
  OrdersMappingId: 'm-1',
  OrdersTopic: 'orders',
  OrdersConsumerGroup: 'g',
  OrdersDeadLetterTopic: 'orders-dead-letters',
  OrdersFallbackQueueUrl: 'https://q',
  OrdersLedgerTable: 'ledger',
  OrdersClusterId: 'uuid',
  OrdersOperatorFunctionName: 'operator',
  OrdersTableName: 'another table',
};

test('finds a consumer in the outputs of its stack', () => {
  expect(consumersOf(OUTPUTS)).toEqual([
    {
      name: 'Orders',
      mappingId: 'm-1',
      topic: 'orders',
      group: 'g',
      deadLetterTopic: 'orders-dead-letters',
      ledgerTable: 'ledger',
      cluster: 'uuid',
      fallbackQueueUrl: 'https://q',
      operatorFunctionName: 'operator',
    },
  ]);
});

test('names the output that an older deployment lacks', () => {
  const { OrdersClusterId: _, ...older } = OUTPUTS;
  expect(() => consumersOf(older)).toThrow('the stack of Orders has no output OrdersClusterId');
});

test('asks which consumer is meant where there are several', () => {
  const orders = consumersOf(OUTPUTS);
  const both = [...orders, ...orders.map((one) => ({ ...one, name: 'Payments' }))];
  expect(oneConsumer(both, 'payments').name).toBe('Payments');
  expect(() => oneConsumer(both, undefined)).toThrow('expected --consumer with one of: Orders, Payments');
  expect(() => oneConsumer(both, 'Invoices')).toThrow('no consumer is called Invoices; there are: Orders, Payments');
});
