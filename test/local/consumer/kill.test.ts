import { afterAll, beforeAll, expect, test } from 'vitest';
import { killFunctionWorkers } from '../../../infra/local/function-workers.ts';
import { type ConsumersUnderTest, startConsumers } from './consumers-under-test.ts';
import { topicOf } from './fixtures/consumer-intent.ts';
import { doneOnce, startedTooEarly } from './in-order.ts';
import { produce } from './produce.ts';

let consumers: ConsumersUnderTest;

beforeAll(async () => {
  consumers = await startConsumers('kill');
});

afterAll(() => consumers?.stop());

const idsOf = (partition: number) => Array.from({ length: 100 }, (_, index) => `killed-${partition}-${index}`);

test('a process that is killed in the middle of a batch, twice, loses no order and keeps their order', async () => {
  const { counterpart, kafka, cloud, consumer } = consumers;
  // Of one partition: two kills never happen at once.
  const fatal = new Set(['killed-0-30', 'killed-0-70']);
  const killed: number[] = [];
  counterpart.answer(async ({ path, id }) => {
    if (path === '/started' && fatal.delete(id)) {
      killed.push(await killFunctionWorkers(cloud, consumer('Killed').function));
    }
    return 204;
  });

  for (const partition of [0, 1]) {
    const scripts = idsOf(partition).map((id) => ({ id, does: 'succeed' as const }));
    await produce(kafka, topicOf({ name: 'Killed' }), partition, scripts);
  }

  await expect.poll(() => consumers.lag('Killed'), { timeout: 180_000, interval: 500 }).toBe(0);
  expect(killed).toHaveLength(2);
  expect(Math.min(...killed)).toBeGreaterThan(0);
  for (const partition of [0, 1]) {
    expect(doneOnce(counterpart.calls, idsOf(partition))).toEqual(idsOf(partition));
    expect(startedTooEarly(counterpart.calls, idsOf(partition))).toEqual([]);
  }
  expect(await consumers.letters('Killed')).toEqual([]);
});
