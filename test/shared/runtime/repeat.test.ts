import { expect, test } from 'vitest';
import type { UnknownFate } from '../../../shared/ports/idempotency-key-store.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { repeatEach } from '../../../shared/runtime/repeat.ts';

type Answer = { readonly type: 'done'; readonly of: string };

const throttled: UnknownFate = { type: 'unknown', error: new StoreError('throttled', { transient: true }) };
const denied: UnknownFate = { type: 'unknown', error: new StoreError('denied', { transient: false }) };

/** Answers each call with what `script` has for it; a request that it does not name is done. */
function scripted(...script: readonly Readonly<Record<string, UnknownFate>>[]) {
  const calls: string[][] = [];
  const pauses: number[] = [];
  const patience = {
    clock: { now: () => 0, sleep: async (ms: number) => void pauses.push(ms) },
    entropy: { random: () => 0.5, id: () => 'nobody' },
    giveUpAt: 10_000,
  };
  const send = async (open: readonly string[]): Promise<readonly (Answer | UnknownFate)[]> => {
    calls.push([...open]);
    return open.map((of) => script[calls.length - 1]?.[of] ?? { type: 'done', of });
  };
  return { calls, pauses, run: (requests: readonly string[]) => repeatEach(requests, send, patience) };
}

test('sends only those again whose fate is unknown, and answers in the order of all', async () => {
  const { calls, pauses, run } = scripted({ b: throttled, d: throttled }, { b: throttled });

  expect(await run(['a', 'b', 'c', 'd'])).toEqual(['a', 'b', 'c', 'd'].map((of) => ({ type: 'done', of })));
  expect(calls).toEqual([['a', 'b', 'c', 'd'], ['b', 'd'], ['b']]);
  expect(pauses).toEqual([25, 50]);
});

test('gives up at once where one cannot be helped, and says why', async () => {
  const { calls, run } = scripted({ a: throttled, c: denied });

  await expect(run(['a', 'b', 'c'])).rejects.toBe(denied.error);
  expect(calls).toHaveLength(1);
});

test('sends all again when a call is rejected', async () => {
  let calls = 0;
  const patience = {
    clock: { now: () => 0, sleep: async () => undefined },
    entropy: { random: () => 0.5, id: () => 'nobody' },
    giveUpAt: 10_000,
  };

  const answers = await repeatEach(
    ['a', 'b'],
    async (open): Promise<readonly Answer[]> => {
      if (++calls === 1) throw new Error('no answer');
      return open.map((of) => ({ type: 'done', of }));
    },
    patience,
  );

  expect(answers).toEqual([
    { type: 'done', of: 'a' },
    { type: 'done', of: 'b' },
  ]);
});
