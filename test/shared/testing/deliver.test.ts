import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { byPosition, type ConsumerOptions, lockstepConsumer, text } from '../../../shared/lockstep-consumer.ts';
import type { CommonOptions } from '../../../shared/options.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
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
      { crashAt: 2 },
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'deadLettered', 'orders-0@1': 'handled' });
  });

  test('though the invocation died that handled it and wrote that down', async () => {
    const { outcomes } = await deliver(
      handlerOf(() => undefined, { tuning: { checkpointMs: 'record' } }),
      [a, record({ value: Buffer.from('b') })],
      { crashAt: 2 },
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'handled', 'orders-0@1': 'handled' });
  });

  test('and a duplicate is one', async () => {
    const { outcomes } = await deliver(
      handlerOf(() => undefined, { idempotencyKey: ({ value }) => value ?? '' }),
      [a, a],
      { crashAt: 1 },
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
