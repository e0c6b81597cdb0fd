import { expect, test } from 'vitest';
import { topicsOf } from '../../../infra/local/deploy-stacks.ts';
import type { DeployedConsumer } from '../../../infra/local/deployed.ts';
import { consumerFacts } from '../../../infra/local/deployed-consumer-facts.ts';
import type { Mapping } from '../../../infra/local/event-source/mapping.ts';

const mapping = { topic: 'orders' } as Mapping;

/** As the metadata beside a mapping describes it. */
function consumer(noted: object): DeployedConsumer {
  const environment = { LOCKSTEP_DEAD_LETTER_TOPIC: 'orders-dead-letters' };
  return consumerFacts({ Lockstep: noted }, mapping, { name: 'Orders', environment }) as DeployedConsumer;
}

test('topics that a handler writes to are made too, and a topic’s own consumer says how', () => {
  const orders = consumer({ producesTo: ['shipments', 'audit'] });
  const shipments = { ...consumer({}), topic: { topicName: 'shipments', partitions: 12 }, producesTo: ['orders'] };

  expect(topicsOf({ consumers: [orders, shipments] }, undefined)).toEqual([
    { topicName: 'audit', partitions: 3 },
    { topicName: 'orders', partitions: 3 },
    { topicName: 'orders-dead-letters', partitions: 3, stampsOnAppend: true },
    { topicName: 'shipments', partitions: 12 },
  ]);
  // Its consumer makes it, when that is asked for.
  const ofOrders = topicsOf({ consumers: [orders] }, undefined, { consumers: [orders, shipments] });
  expect(ofOrders.map(({ topicName }) => topicName)).toEqual(['audit', 'orders', 'orders-dead-letters']);
});

test('every topic has as many partitions as the command says', () => {
  const topics = topicsOf({ consumers: [consumer({ producesTo: ['audit'], topic: { partitions: 4 } })] }, 6);
  expect(topics.map(({ topicName, partitions }) => [topicName, partitions])).toEqual([
    ['audit', 6],
    ['orders', 6],
    ['orders-dead-letters', 6],
  ]);
});
