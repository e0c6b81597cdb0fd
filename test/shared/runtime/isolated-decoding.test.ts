import { describe, expect, test } from 'vitest';
import { invokeWith } from '../../../shared/connection.ts';
import {
  byPosition,
  type LockstepHandler,
  lockstepConsumer,
  type ValueDecoder,
} from '../../../shared/lockstep-consumer.ts';
import type { CommonOptions } from '../../../shared/options.ts';
import { Sandbox } from '../../../shared/runtime/sandbox.ts';
import { DeliveryWorld } from '../../../shared/testing/delivery-world.ts';
import { kafkaEvent, record } from '../../../shared/testing/record.ts';

/** Decodes text; at the value `killer` it does what is said. */
function decoding(atKiller: () => void): ValueDecoder<string> {
  return {
    decode: (one) => {
      const value = one.valueBytes?.toString() ?? '';
      if (value !== 'killer') return value;
      atKiller();
      return new Promise(() => undefined);
    },
  };
}

/** Sends these values again and again, each time to a new process, until all is settled. */
async function deliverTo(handler: LockstepHandler, values: readonly string[], onProcess: (die: () => void) => void) {
  const world = new DeliveryWorld({});
  const event = kafkaEvent(values.map((value) => record({ key: value, value: Buffer.from(value) })));
  for (let left = 40; left > 0; left--) {
    const { ports, ...connection } = world.newProcess();
    onProcess(ports.endProcess);
    const isolated = { ...connection, ports: { ...ports, sandbox: new Sandbox() } };
    const invocation = invokeWith(handler, isolated, event, world.context());
    const answer = await world.clock.runUntilSettled(Promise.race([invocation, world.death.promise]));
    if (answer?.batchItemFailures.length === 0) break;
  }
  return world.delivery();
}

describe.each<[string, (die: () => void) => void]>([
  ['kills the process', (die) => die()],
  ['never ends', () => undefined],
])('a record whose decoding %s', (_, atKiller) => {
  test.each<[string, Partial<CommonOptions<string>>, 'onRecord' | 'onBatch']>([
    ['by position', {}, 'onRecord'],
    ['with idempotency keys', { idempotencyKey: ({ value }) => value }, 'onRecord'],
    ['with idempotency keys, in key order', { idempotencyKey: ({ value }) => value, order: 'key' }, 'onRecord'],
    ['in onBatch', {}, 'onBatch'],
  ])('gets its letter, and its neighbours are handled: %s', async (__, options, kind) => {
    const handled: string[] = [];
    let die: () => void = () => undefined;
    const handler = lockstepConsumer<string>({
      value: decoding(() => atKiller(die)),
      idempotencyKey: byPosition,
      ...options,
      ...(kind === 'onRecord'
        ? { onRecord: async ({ value }) => void handled.push(value) }
        : { onBatch: async (records) => void handled.push(...records.map(({ value }) => value)) }),
    });

    const { outcomes, deadLetters } = await deliverTo(handler, ['a', 'b', 'killer', 'c', 'd'], (end) => {
      die = end;
    });

    expect(
      deadLetters.map(({ origin, headers }) => [
        origin.offset,
        headers.find(({ name }) => name === 'x-stage')?.value.toString(),
        headers.find(({ name }) => name === 'x-interruption-count')?.value.toString(),
      ]),
    ).toEqual([[2, 'interrupted', '3']]);
    expect([...new Set(handled)].sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(outcomes['orders-0@4']).toBe('handled');
  });
});

test('a sandbox in which decoding goes on for ever ends itself', async () => {
  const world = new DeliveryWorld({});
  const handler = lockstepConsumer<string>({
    value: decoding(() => undefined),
    idempotencyKey: byPosition,
    onRecord: async () => undefined,
  });
  const event = kafkaEvent([record({ value: Buffer.from('killer') })]);
  const { ports, ...connection } = world.newProcess();
  const sandbox = new Sandbox();
  const invoke = () => invokeWith(handler, { ...connection, ports: { ...ports, sandbox } }, event, world.context());
  // The first delivery, a busy one because of its lease, and one in crash isolation.
  for (let time = 0; sandbox.stalledHandlers === 0 && time < 5; time++) await world.clock.runUntilSettled(invoke());
  void invoke().catch(() => undefined);

  await expect(world.death.promise).resolves.toBeUndefined();
  expect(sandbox.stalledHandlers).toBe(1);
});
