import { describe, expect, test } from 'vitest';
import { byPosition, lockstepConsumer, type RetryOptions, text } from '../../../shared/lockstep-consumer.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { record } from '../../../shared/testing/record.ts';

function revoked(target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function throwing(): never {
  throw new TypeError('not this');
}

/** Biome takes a literal with a `then` for a mistake. */
function thenable(then: unknown, target: object = {}): object {
  return Object.defineProperty(target, 'then', { value: then });
}

/** What of a letter tells the cause. */
async function letterOf(handler: () => unknown, retry: RetryOptions = {}) {
  const { deadLetters, outcomes } = await deliver(
    lockstepConsumer({
      value: text,
      idempotencyKey: byPosition,
      retry: { maxAttempts: 2, ...retry },
      onRecord: () => handler() as Promise<void>,
    }),
    [record({ value: Buffer.from('a') })],
  );
  const header = (name: string) => deadLetters[0]?.headers.find((one) => one.name === name)?.value.toString();
  return {
    outcome: outcomes['orders-0@0'],
    attempts: header('x-retry-count'),
    name: header('x-error-name'),
    text: header('x-error-message'),
  };
}

describe('whatever a handler returns behaves as under await', () => {
  test.each<[string, () => unknown, string]>([
    ['a thenable whose then throws at once', () => thenable(throwing), 'not this'],
    [
      'an object whose then is a getter that throws',
      () => Object.defineProperty({}, 'then', { get: throwing }),
      'not this',
    ],
    [
      'a thenable that rejects',
      () => thenable((_: unknown, no: (error: Error) => void) => no(new Error('late'))),
      'late',
    ],
    ['a function with a then', () => thenable(throwing, () => {}), 'not this'],
    ['a revoked proxy', () => revoked(), "Cannot perform 'get' on a proxy that has been revoked"],
    [
      'a promise with a constructor that throws',
      () => Object.defineProperty(Promise.resolve(), 'constructor', { get: throwing }),
      'not this',
    ],
    [
      'a thenable that resolves to one that rejects',
      () => thenable((ok: (value: unknown) => void) => ok(Promise.reject(new Error('inner')))),
      'inner',
    ],
  ])('%s is a counted attempt', async (_, handler, says) => {
    expect(await letterOf(handler)).toEqual({
      outcome: 'deadLettered',
      attempts: '2',
      name: expect.any(String),
      text: says,
    });
  });

  test.each<[string, () => unknown]>([
    [
      'a thenable that resolves twice and then rejects',
      () =>
        thenable((ok: () => void, no: (error: Error) => void) => {
          ok();
          ok();
          no(new Error('late'));
        }),
    ],
    [
      'a thenable that resolves and then throws',
      () =>
        thenable((ok: () => void) => {
          ok();
          throw new Error('late');
        }),
    ],
    ['an object with a then that is no function', () => thenable(7)],
    ['an array', () => []],
    ['a function', () => () => throwing()],
  ])('%s is a success', async (_, handler) => {
    expect(await letterOf(handler)).toMatchObject({ outcome: 'handled' });
  });
});

describe('whatever a handler throws is a counted attempt, and its letter says so', () => {
  test.each<[string, unknown, string]>([
    ['a revoked proxy', revoked(), 'Error'],
    ['a revoked proxy of an error', revoked(new RangeError('no')), 'Error'],
    ['an error with a revoked proxy as its cause', new Error('no', { cause: revoked() }), 'Error'],
    ['a symbol', Symbol('no'), 'symbol'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an object without a prototype', Object.create(null), 'Error'],
    ['a frozen error', Object.freeze(new RangeError('no')), 'RangeError'],
    [
      'an error whose getters throw',
      Object.defineProperties(new RangeError(), {
        message: { get: throwing },
        stack: { get: throwing },
        cause: { get: throwing },
      }),
      'RangeError',
    ],
    ['an error that names itself with a number', Object.assign(new RangeError('no'), { name: 7 }), 'RangeError'],
    ['an error of ten million characters', new RangeError('x'.repeat(10_000_000)), 'RangeError'],
    [
      'an object that refuses to be text',
      { toString: throwing, toJSON: throwing, [Symbol.toPrimitive]: throwing },
      'Object',
    ],
    ['an aggregate of revoked proxies', new AggregateError([revoked(), revoked()]), 'AggregateError'],
    [
      'a circle of causes',
      (() => {
        const a = new Error('a');
        a.cause = a;
        return a;
      })(),
      'Error',
    ],
  ])('%s', async (_, thrown, name) => {
    const rejecting = () => Promise.reject(thrown);
    const throwingIt = () => {
      throw thrown;
    };

    for (const handler of [rejecting, throwingIt])
      expect(await letterOf(handler)).toMatchObject({ outcome: 'deadLettered', attempts: '2', name });
  });

  test('to a retry.classify that answers with nonsense', async () => {
    const classify = (() => Promise.resolve('nonRetryable')) as never;

    expect(await letterOf(throwing, { classify })).toMatchObject({ outcome: 'deadLettered', attempts: '2' });
  });
});

describe('in onBatch', () => {
  test('a revoked proxy that is thrown for two records is counted for the one that throws it alone', async () => {
    const { outcomes } = await deliver(
      lockstepConsumer({
        value: text,
        idempotencyKey: byPosition,
        onBatch: (records) => {
          if (records.some(({ value }) => value === 'b')) throw revoked();
        },
      }),
      ['a', 'b', 'c'].map((value) => record({ value: Buffer.from(value) })),
    );

    expect(outcomes).toEqual({ 'orders-0@0': 'handled', 'orders-0@1': 'deadLettered', 'orders-0@2': 'handled' });
  });
});
