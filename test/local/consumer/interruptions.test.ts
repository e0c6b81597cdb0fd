import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConsumersUnderTest, startConsumers } from './consumers-under-test.ts';
import { topicOf } from './fixtures/consumer-intent.ts';
import { doneOnce, startedTooEarly } from './in-order.ts';
import { produce, tenAround } from './produce.ts';

/** How a handler may fail to return, each in a consumer of its own; they run side by side. */
const WAYS = { Exits: 'exit', Hangs: 'hang', Spins: 'spin' } as const;

let consumers: ConsumersUnderTest;

beforeAll(async () => {
  consumers = await startConsumers('interruptions');
  for (const [name, does] of Object.entries(WAYS)) {
    for (const partition of [0, 1]) {
      const scripts = tenAround(`${name}${partition}`, partition === 0 ? does : 'succeed');
      await produce(consumers.kafka, topicOf({ name }), partition, scripts);
    }
  }
});

afterAll(() => consumers?.stop());

describe.each([
  ['calls process.exit', 'Exits'],
  ['never returns', 'Hangs'],
  ['runs in an endless loop', 'Spins'],
])('a handler that %s on one order', (_, name) => {
  const produced = (partition: number) => Array.from({ length: 10 }, (_, index) => `${name}${partition}-${index}`);

  test('ends with that order, and no other, on the dead-letter topic', async () => {
    await expect.poll(() => consumers.lag(name), { timeout: 180_000, interval: 500 }).toBe(0);

    expect(await consumers.letters(name)).toMatchObject([
      {
        partition: 0,
        key: Buffer.from(`${name}0-4`),
        header: {
          'x-original-topic': topicOf({ name }),
          'x-original-partition': '0',
          'x-original-offset': '4',
          'x-stage': 'interrupted',
          'x-retry-count': '0',
          'x-interruption-count': '3',
        },
      },
    ]);
  });

  test('has that order at most four times: the first death is not attributed yet', () => {
    const tries = consumers.counterpart.calls.filter(({ path, id }) => path === '/started' && id === `${name}0-4`);

    expect(tries.length).toBeGreaterThanOrEqual(3);
    expect(tries.length).toBeLessThanOrEqual(4);
  });

  test('costs no other order its handling, nor its place', () => {
    const { calls } = consumers.counterpart;
    const others = produced(0).filter((id) => id !== `${name}0-4`);

    expect(doneOnce(calls, produced(0))).toEqual(others);
    expect(doneOnce(calls, produced(1))).toEqual(produced(1));
    expect(startedTooEarly(calls, produced(0), [`${name}0-4`])).toEqual([]);
    expect(startedTooEarly(calls, produced(1))).toEqual([]);
  });
});
