import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { byPosition, type ConsumerOptions, lockstepConsumer, text } from '../../../shared/lockstep-consumer.ts';
import type { CommonOptions } from '../../../shared/options.ts';
import { deliver, deliverySteps } from '../../../shared/testing/deliver.ts';
import type { Crash } from '../../../shared/testing/delivery.ts';
import { record } from '../../../shared/testing/record.ts';

const a = record({ key: 'a', value: Buffer.from('a') });
const handlerOf = (
  onRecord: NonNullable<ConsumerOptions<string | null>['onRecord']>,
  options: Partial<CommonOptions<string | null>> = {},
) => lockstepConsumer({ value: text, idempotencyKey: byPosition, ...options, onRecord });
const realTime = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe('a handler that hangs', () => {
  test('meets its signal before the deadline, and what it throws then is an attempt', async () => {
    const at: number[] = [];
    const { outcomes, deadLetters, metrics } = await deliver(
      handlerOf(
        (_, { signal, deadline }) =>
          new Promise((__, reject) =>
            signal.addEventListener('abort', () => {
              at.push(deadline);
              reject(new Error('aborted'));
            }),
          ),
        { retry: { maxAttempts: 2 } },
      ),
      [a],
      { timeoutMs: 20_000 },
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'deadLettered' });
    expect(metrics['AttemptsFailed']).toBe(2);
    expect(at).toHaveLength(2);
    expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-message')?.value.toString()).toBe('aborted');
  });

  test('for ever is interrupted three times and dead-lettered; what comes after it is handled', async () => {
    const handled: unknown[] = [];
    const { outcomes, metrics } = await deliver(
      handlerOf(({ value }) => {
        if (value === 'a') return new Promise(() => undefined);
        handled.push(value);
      }),
      [a, record({ value: Buffer.from('b') })],
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'deadLettered', 'orders-0@1': 'handled' });
    expect(metrics['Interruptions']).toBe(3);
    expect(handled).toEqual(['b']);
  });

  test('takes little of the processor', async () => {
    const before = process.threadCpuUsage();
    await deliver(
      handlerOf(() => new Promise(() => undefined)),
      [a],
      { maxDeliveries: 1 },
    );

    expect(process.threadCpuUsage(before).user / 1_000).toBeLessThan(300);
  });
});

describe('time stands still', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['waits', () => realTime(300)],
    ['reads a file', () => readFile('package.json')],
    [
      'waits in turns',
      async () => {
        for (let turn = 0; turn < 30; turn++) await realTime(5);
      },
    ],
  ])('while a handler %s', async (_, work) => {
    const left: number[] = [];
    const { outcomes, metrics } = await deliver(
      handlerOf(async () => {
        await work();
      }),
      [a],
      { timeoutMs: 1_000, onProgress: () => left.push(0) },
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'handled' });
    expect(metrics['HandlerMs']).toBe(0);
  });

  test('nearly, while a decoder waits for something', async () => {
    const slow = { decode: async () => realTime(50).then(() => 'decoded') };
    const { outcomes } = await deliver(
      lockstepConsumer({ value: slow, idempotencyKey: ({ value }) => value, onRecord: () => undefined }),
      [a],
      { timeoutMs: 1_000, maxDeliveries: 1 },
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'handled' });
  });
});

describe('a crash is asked for by what it interrupts', () => {
  const three = ['a', 'b', 'c'].map((value) => record({ value: Buffer.from(value) }));
  const runs = async (crash: Crash | readonly Crash[]) => {
    const seen: unknown[] = [];
    const { outcomes, metrics } = await deliver(
      handlerOf(({ value }) => void seen.push(value), { tuning: { checkpointMs: 'record' } }),
      three,
      { crash },
    );
    return { seen: seen.join(''), outcomes: [...new Set(Object.values(outcomes))], died: metrics['Interruptions'] };
  };

  test.each<[string, Crash | readonly Crash[], string]>([
    ['the work of a record', { afterHandlerOf: 'orders-0@1' }, 'abbc'],
    ['a record twice', { afterHandlerOf: 'orders-0@1', times: 2 }, 'abbbc'],
    ['what comes before a record', { beforeHandlerOf: 'orders-0@1' }, 'abc'],
    ['a run, whatever it is of', { afterRun: 3 }, 'abcc'],
    ['several', [{ afterHandlerOf: 'orders-0@0' }, { beforeHandlerOf: 'orders-0@2' }, { afterRun: 3 }], 'aabbc'],
  ])('%s', async (_, crash, seen) => {
    expect(await runs(crash)).toMatchObject({ seen, outcomes: ['handled'] });
  });

  test('and a record that dies too often is dead-lettered without having run', async () => {
    // Whose death the first one was is not known yet: nothing else has run before it.
    expect(await runs({ beforeHandlerOf: 'orders-0@1', times: 4 })).toEqual({
      seen: 'ac',
      outcomes: ['handled', 'deadLettered'],
      died: 3,
    });
  });

  test.each<[Crash, string]>([
    [{ afterRun: 4 }, 'after run 4 of the handler'],
    [{ afterHandlerOf: 'orders-1@0' }, 'after the handler of orders-1@0'],
    [{ beforeHandlerOf: 'orders-0@0', times: 5 }, 'before the handler of orders-0@0'],
  ])('and one that never happens fails the test: %o', async (crash, when) => {
    await expect(runs(crash)).rejects.toThrow(`the process was to die ${when}, and that never happened`);
  });
});

test('a delivery goes step by step: one invocation each', async () => {
  let isDown = true;
  const steps = deliverySteps(
    handlerOf(({ value }) => {
      if (value === 'b' && isDown) throw new Error('down');
    }),
    [a, record({ value: Buffer.from('b') })],
  );

  const first = await steps.next();
  isDown = false;
  const second = await steps.next();

  expect(first).toMatchObject({ done: false, value: { outcomes: { 'orders-0@0': 'handled', 'orders-0@1': 'retry' } } });
  expect(second).toMatchObject({ done: false, value: { outcomes: { 'orders-0@1': 'notAttempted' } } });
  expect(first.value.answers).toHaveLength(1);
  for await (const { deadLetters } of steps) expect(deadLetters).toEqual([]);
});

test('what a handler leaves open does not stop the time of its back-off', async () => {
  const open: NodeJS.Timeout[] = [];
  const { outcomes } = await deliver(
    handlerOf((_, { attempt }) => {
      open.push(setInterval(() => undefined, 1_000));
      if (attempt < 5) throw new Error('not yet');
    }),
    [a],
  );
  for (const one of open) clearInterval(one);

  expect(outcomes).toEqual({ 'orders-0@0': 'handled' });
});

test('a query that runs when it is awaited runs once', async () => {
  let runs = 0;
  const query = Object.defineProperty({}, 'then', { value: (resolve: (end: number) => void) => resolve(++runs) });
  await deliver(
    handlerOf(() => query as Promise<void>),
    [a],
  );

  expect(runs).toBe(1);
});

test('two deliveries to one handler side by side know nothing of each other', async () => {
  const handler = handlerOf(() => realTime(5));
  const ends = await Promise.all(
    ['t1', 't2', 't3'].map((topic) => deliver(handler, [record({ topic, value: 1 }), record({ topic, value: 2 })])),
  );

  expect(ends.map(({ outcomes }) => outcomes)).toEqual([
    { 't1-0@0': 'handled', 't1-0@1': 'handled' },
    { 't2-0@0': 'handled', 't2-0@1': 'handled' },
    { 't3-0@0': 'handled', 't3-0@1': 'handled' },
  ]);
});

describe('an outcome is what became of the record', () => {
  test('though the invocation died that dead-lettered it', async () => {
    const { outcomes } = await deliver(
      handlerOf(
        ({ value }) => {
          if (value === 'a') throw new Error('no');
        },
        { retry: { maxAttempts: 1 } },
      ),
      [a, record({ key: 'b', value: Buffer.from('b') })],
      { crash: { afterRun: 2 } },
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'deadLettered', 'orders-0@1': 'handled' });
  });

  test('though the invocation died that handled it and wrote that down', async () => {
    const { outcomes } = await deliver(
      handlerOf(() => undefined, { tuning: { checkpointMs: 'record' } }),
      [a, record({ value: Buffer.from('b') })],
      { crash: { afterRun: 2 } },
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'handled', 'orders-0@1': 'handled' });
  });

  test('and a duplicate is one', async () => {
    const { outcomes } = await deliver(
      handlerOf(() => undefined, { idempotencyKey: ({ value }) => value ?? '' }),
      [a, a],
      { crash: { afterRun: 1 } },
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'handled', 'orders-0@1': 'duplicate' });
  });
});

describe('a test with fake timers', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('delivers all the same', async () => {
    const { outcomes } = await deliver(
      handlerOf((_, { attempt }) => {
        if (attempt < 5) throw new Error('not yet');
      }),
      [a],
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'handled' });
  });

  test('sees a handler that waits for a fake timer end as one that hangs', async () => {
    const { outcomes, metrics } = await deliver(
      handlerOf(() => realTime(5)),
      [a],
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'deadLettered' });
    expect(metrics['Interruptions']).toBe(3);
  });
});

test('a handler that lockstepConsumer did not make is refused', async () => {
  await expect(deliver((async () => undefined) as never, [a])).rejects.toThrow(
    'expected a handler that lockstepConsumer returned',
  );
});
