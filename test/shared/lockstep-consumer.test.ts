import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import {
  BatchFailure,
  byPosition,
  json,
  LockstepError,
  lockstepConsumer,
  NonRetryableError,
  PauseError,
  type RetryOptions,
  TransactRefusedError,
} from '../../shared/lockstep-consumer.ts';
import { deliver } from '../../shared/testing/deliver.ts';
import { record } from '../../shared/testing/record.ts';

type Errors = typeof import('../../shared/errors.ts');

const Order = v.object({ orderId: v.string() });

/** A consumer that notes what it handles, and fails as it is told. */
function noting(
  fail: (orderId: string, attempt: number) => void = () => undefined,
  options: {
    keyed?: boolean;
    order?: 'partition' | 'key';
    retry?: RetryOptions;
  } = {},
) {
  const handled: string[] = [];
  const handler = lockstepConsumer({
    value: json(Order),
    idempotencyKey: options.keyed ? ({ value }) => value.orderId : byPosition,
    order: options.order ?? 'partition',
    retry: options.retry ?? {},
    onRecord: async ({ value }, { attempt }) => {
      fail(value.orderId, attempt);
      handled.push(value.orderId);
    },
  });
  return { handler, handled };
}

const orders = (...ids: string[]) => ids.map((orderId) => record({ key: orderId, value: { orderId } }));

describe('a batch that goes well', () => {
  test('is handled in order and answered without failures', async () => {
    const { handler, handled } = noting();

    const { outcomes, answers } = await deliver(handler, orders('a', 'b', 'c'));

    expect(handled).toEqual(['a', 'b', 'c']);
    expect(outcomes).toEqual({ 'orders-0@0': 'handled', 'orders-0@1': 'handled', 'orders-0@2': 'handled' });
    expect(answers).toEqual([{ batchItemFailures: [] }]);
  });
});

describe('a record that fails', () => {
  test('twice is handled at the third try, before its followers, and leaves no letter', async () => {
    const { handler, handled } = noting((orderId, attempt) => {
      if (orderId === 'b' && attempt < 3) throw new Error('not yet');
    });

    const { deadLetters, answers } = await deliver(handler, orders('a', 'b', 'c'));

    expect(handled).toEqual(['a', 'b', 'c']);
    expect(deadLetters).toEqual([]);
    expect(answers).toHaveLength(1);
  });

  test('keeps its attempts across invocations', async () => {
    const attempts: number[] = [];
    const { handler, handled } = noting(
      (orderId, attempt) => {
        if (orderId !== 'b') return;
        attempts.push(attempt);
        if (attempt < 4) throw new Error('not yet');
      },
      { retry: { inlineRetries: 0 } },
    );

    const { answers } = await deliver(handler, orders('a', 'b', 'c'));

    expect(attempts).toEqual([1, 2, 3, 4]);
    expect(handled).toEqual(['a', 'b', 'c']);
    expect(answers[0]).toEqual({
      batchItemFailures: [
        { itemIdentifier: { partition: 'orders-0', offset: 1 } },
        { itemIdentifier: { partition: 'orders-0', offset: 2 } },
      ],
    });
  });

  test('for ever is dead-lettered after five attempts, and the rest goes on', async () => {
    const { handler, handled } = noting((orderId) => {
      if (orderId === 'b') throw new RangeError('no such thing as 17');
    });

    const { deadLetters, outcomes } = await deliver(handler, orders('a', 'b', 'c'));

    expect(handled).toEqual(['a', 'c']);
    expect(outcomes).toEqual({ 'orders-0@0': 'handled', 'orders-0@1': 'deadLettered', 'orders-0@2': 'handled' });
    const headers = Object.fromEntries(
      deadLetters.flatMap((letter) => [...letter.headers].map(({ name, value }) => [name, value.toString()])),
    );
    expect(deadLetters).toHaveLength(1);
    expect(deadLetters[0]?.value?.toString()).toBe('{"orderId":"b"}');
    expect(headers).toMatchObject({
      'x-original-topic': 'orders',
      'x-original-partition': '0',
      'x-original-offset': '1',
      'x-retry-count': '5',
      'x-interruption-count': '0',
      'x-error-name': 'RangeError',
      'x-error-message': 'no such thing as 17',
      'x-stage': 'handler',
      'x-disposition': 'systemic',
    });
  });

  test('with a NonRetryableError is dead-lettered at once', async () => {
    const { handler } = noting((orderId) => {
      if (orderId === 'a') throw new NonRetryableError('refused', { code: 'ORDER_UNKNOWN_CURRENCY' });
    });

    const { deadLetters } = await deliver(handler, orders('a'));

    expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-retry-count')?.value.toString()).toBe('1');
    expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-name')?.value.toString()).toBe(
      'ORDER_UNKNOWN_CURRENCY',
    );
  });

  test('for ever blocks where attempts are infinite', async () => {
    const { handler, handled } = noting(
      (orderId) => {
        if (orderId === 'b') throw new Error('never');
      },
      { retry: { maxAttempts: Number.POSITIVE_INFINITY } },
    );

    const { deadLetters, outcomes } = await deliver(handler, orders('a', 'b', 'c'), { maxDeliveries: 20 });

    expect(handled).toEqual(['a']);
    expect(deadLetters).toEqual([]);
    expect(outcomes['orders-0@2']).toBe('notAttempted');
  });

  test('with an undecodable value never meets the handler', async () => {
    const { handler, handled } = noting();

    const { deadLetters } = await deliver(handler, [
      record({ value: Buffer.from('{') }),
      record({ value: { orderId: 7 } }),
      record({ value: { orderId: 'c' } }),
    ]);

    expect(handled).toEqual(['c']);
    expect(deadLetters.map(({ headers }) => headers.find(({ name }) => name === 'x-stage')?.value.toString())).toEqual([
      'decode',
      'validate',
    ]);
  });
});

describe('a letter', () => {
  test('that the topic refuses goes to the fallback queue', async () => {
    const { handler } = noting(() => {
      throw new NonRetryableError('refused', { code: 'NO' });
    });

    const { deadLetters, fallback, outcomes } = await deliver(handler, orders('a'), { refuseDeadLetters: 1 });

    expect(deadLetters).toEqual([]);
    expect(fallback).toMatchObject([
      { type: 'letter', letter: { origin: { topic: 'orders', partition: 0, offset: 0 } } },
    ]);
    expect(outcomes).toEqual({ 'orders-0@0': 'deadLettered' });
  });

  test('that both refuse keeps its record the blocked record, and is written once they take it', async () => {
    const tried: string[] = [];
    const { handler } = noting((orderId) => {
      tried.push(orderId);
      if (orderId === 'a') throw new NonRetryableError('refused', { code: 'NO' });
    });

    const { deadLetters, outcomes } = await deliver(handler, orders('a', 'b'), {
      refuseDeadLetters: 2,
      refuseFallback: 2,
    });

    expect(tried).toEqual(['a', 'b']);
    expect(deadLetters).toHaveLength(1);
    expect(outcomes).toEqual({ 'orders-0@0': 'deadLettered', 'orders-0@1': 'handled' });
  });
});

describe('a crash', () => {
  test('after the third run repeats at most what was not recorded, in order', async () => {
    const { handler, handled } = noting();

    const { outcomes, answers } = await deliver(handler, orders('a', 'b', 'c', 'd'), { crash: { afterRun: 3 } });

    expect(handled).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'd']);
    expect(answers[0]).toBeUndefined();
    expect(Object.values(outcomes)).toEqual(['handled', 'handled', 'handled', 'handled']);
  });
});

describe('an idempotency key', () => {
  test('catches what a producer wrote twice, in any partition', async () => {
    const { handler, handled } = noting(undefined, { keyed: true });

    const { outcomes } = await deliver(handler, [
      ...orders('a', 'b', 'a'),
      record({ partition: 1, value: { orderId: 'z' } }),
    ]);
    expect(handled.toSorted()).toEqual(['a', 'b', 'z']);
    expect(outcomes['orders-0@2']).toBe('duplicate');
  });

  test('that is empty dead-letters its record with a message that names it', async () => {
    const { handler } = noting(undefined, { keyed: true });

    const { deadLetters } = await deliver(handler, orders(''));

    expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-message')?.value.toString()).toBe(
      'IDEMPOTENCY_KEY_EMPTY: idempotencyKey of orders-0@0 returned an empty string, expected a non-empty string. Return a non-empty string from idempotencyKey, or use byPosition, which deduplicates by topic, partition and offset.',
    );
  });

  test('used again for another value is dead-lettered', async () => {
    const handler = lockstepConsumer({
      value: json(v.object({ id: v.string(), n: v.number() })),
      idempotencyKey: ({ value }) => value.id,
      onRecord: () => undefined,
    });

    const { outcomes, deadLetters } = await deliver(handler, [
      record({ value: { id: 'a', n: 1 } }),
      record({ value: { id: 'a', n: 2 } }),
    ]);

    expect(outcomes).toEqual({ 'orders-0@0': 'handled', 'orders-0@1': 'deadLettered' });
    expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-name')?.value.toString()).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
  });
});

test('a retry.classify that throws decides nothing: the attempt is counted all the same', async () => {
  const { handler } = noting(
    () => {
      throw new Error('never');
    },
    {
      retry: {
        classify: (error) => {
          throw new TypeError(`cannot read ${String(error)}`);
        },
      },
    },
  );

  const { outcomes, deadLetters } = await deliver(handler, orders('a'));

  expect(outcomes).toEqual({ 'orders-0@0': 'deadLettered' });
  expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-retry-count')?.value.toString()).toBe('5');
});

test('a PauseError pauses the partition without counting an attempt', async () => {
  let paused = false;
  const attempts: number[] = [];
  const { handler, handled } = noting((orderId, attempt) => {
    attempts.push(attempt);
    if (orderId === 'a' && !paused) {
      paused = true;
      throw new PauseError({ resumeAfterMs: 30_000 });
    }
  });

  const { metrics } = await deliver(handler, orders('a', 'b'));

  expect(handled).toEqual(['a', 'b']);
  expect(attempts).toEqual([1, 1, 1]);
  expect(metrics['PartitionsPaused']).toBe(1);
});

test('a PauseError is obeyed for an hour at most, and as long as its consumer allows', async () => {
  const pauses: (number | undefined)[] = [];
  for (const retry of [{}, { maxPauseMs: 60_000 }]) {
    const { handler } = noting(
      () => {
        throw new PauseError({ resumeAfterMs: 1e300 });
      },
      { retry },
    );
    await deliver(handler, orders('a'), {
      maxDeliveries: 1,
      onProgress: ({ pausedUntil }) => pauses.push(pausedUntil),
    });
  }

  expect(new Set(pauses.flatMap((until) => (until === undefined ? [] : new Date(until).toISOString())))).toEqual(
    new Set(['2026-01-01T01:00:00.000Z', '2026-01-01T00:01:00.000Z']),
  );
});

test('a paused record counts as blocked since its first pause, and says until when', async () => {
  const texts = new Set<string>();
  let pauses = 0;
  const { handler, handled } = noting(() => {
    if (pauses++ < 3) throw new PauseError({ resumeAfterMs: 60_000 });
  });

  const { metrics } = await deliver(handler, orders('a'), {
    onProgress: ({ blockedRecords }) => {
      for (const { error } of blockedRecords.values()) if (error !== undefined) texts.add(error.text);
    },
  });

  expect(handled).toEqual(['a']);
  expect(metrics['BlockedRecordAgeMs']).toBe(160_000);
  expect([...texts][0]).toBe('paused until 2026-01-01T00:01:00.000Z: the partition is paused');
});

test.each<[string, (errors: Errors) => Error, string]>([
  ['a NonRetryableError', ({ NonRetryableError }) => new NonRetryableError('no', { code: 'FINAL' }), 'deadLettered'],
  [
    'one as the cause of another error',
    ({ NonRetryableError }) => new Error('failed', { cause: new NonRetryableError('no') }),
    'deadLettered',
  ],
  ['a PauseError', ({ PauseError }) => new PauseError({ resumeAfterMs: 5_000 }), 'notAttempted'],
  [
    'one as the cause of another error',
    ({ PauseError }) => new Error('failed', { cause: new PauseError({ resumeAfterMs: 5_000 }) }),
    'notAttempted',
  ],
])('%s of another copy of the package counts as ours does', async (_, make, outcome) => {
  const copy = '../../shared/errors.ts?copy';
  const other: Errors = await import(copy);
  const error = make(other);
  expect(other.NonRetryableError).not.toBe(NonRetryableError);
  let runs = 0;
  const { handler } = noting(() => {
    runs++;
    throw error;
  });

  const { outcomes, metrics } = await deliver(handler, orders('a'), { maxDeliveries: 1 });

  expect({ runs, outcome: outcomes['orders-0@0'] }).toEqual({ runs: 1, outcome });
  expect(metrics['AttemptsFailed']).toBe(outcome === 'deadLettered' ? 1 : undefined);
});

test.each<[string, (errors: Errors) => Error]>([
  ['LockstepError', ({ LockstepError }) => new LockstepError('PARTITION_FAILED', 'a test')],
  ['TransactRefusedError', ({ TransactRefusedError }) => new TransactRefusedError('a test', [])],
  ['NonRetryableError', ({ NonRetryableError }) => new NonRetryableError('no')],
  ['PauseError', ({ PauseError }) => new PauseError({ resumeAfterMs: 1 })],
  ['BatchFailure', ({ BatchFailure }) => new BatchFailure({ offset: 0 })],
])('a %s of another copy of the package is an instance of our class, and of no other', async (name, make) => {
  const copy = '../../shared/errors.ts?copy';
  const other: Errors = await import(copy);

  const error = make(other);

  const classes = { LockstepError, TransactRefusedError, NonRetryableError, PauseError, BatchFailure };
  const instanceOf = Object.entries(classes).filter(([, errorClass]) => error instanceof errorClass);
  const expected = name === 'TransactRefusedError' ? ['LockstepError', 'TransactRefusedError'] : [name];
  expect(instanceOf.map(([known]) => known)).toEqual(expected);
});

test('byPosition of another copy of the package is ours', async () => {
  const copy = '../../shared/options.ts?copy';
  const other: typeof import('../../shared/options.ts') = await import(copy);
  const handler = lockstepConsumer({ value: json(Order), idempotencyKey: other.byPosition, onRecord: () => {} });

  const { outcomes } = await deliver(handler, orders('a'));

  expect(outcomes).toEqual({ 'orders-0@0': 'handled' });
});

test('a handler that another copy of the package made can be delivered to', async () => {
  const copy = '../../shared/connection.ts?copy';
  const other: typeof import('../../shared/connection.ts') = await import(copy);
  const used: unknown[] = [];
  const handler = async () => ({ batchItemFailures: [] });
  const during = (_: unknown, connection: unknown, invoke: () => unknown) => {
    used.push(connection);
    return invoke();
  };
  other.rememberHolder(handler, { during } as never);

  await deliver(handler as never, orders('a'), { maxDeliveries: 1 });

  expect(used).toHaveLength(1);
});

test('a blocked record says how long it has been blocked, and what waits behind it counts as not attempted', async () => {
  const { handler } = noting(
    (orderId, attempt) => {
      if (orderId === 'a' && attempt < 4) throw new Error('not yet');
    },
    { retry: { inlineRetries: 0 } },
  );

  const { metrics } = await deliver(handler, orders('a', 'b'));

  // Back-offs of 1, 2 and 4 seconds, each answered when it is over.
  expect(metrics['BlockedRecordAgeMs']).toBe(3_000);
  expect(metrics).toMatchObject({ AttemptsFailed: 3, RecordsHandled: 2, RecordsNotAttempted: 3 });
});

test('in key order a failing key holds only its own followers', async () => {
  const { handler, handled } = noting(
    (orderId) => {
      if (orderId === 'a') throw new Error('never');
    },
    { order: 'key' },
  );

  const { outcomes, deadLetters } = await deliver(handler, orders('a', 'b', 'a', 'c'));

  expect(handled).toEqual(['b', 'c']);
  expect(deadLetters.map(({ origin }) => origin.offset)).toEqual([0, 2]);
  expect(outcomes['orders-0@1']).toBe('handled');
});

test.each([
  [{}, 'EVENT_NOT_KAFKA: expected an event with `eventSource` `aws:kafka` or `SelfManagedKafka`, got undefined'],
  [
    { eventSource: 'aws:sqs' },
    'EVENT_NOT_KAFKA: expected an event with `eventSource` `aws:kafka` or `SelfManagedKafka`, got `aws:sqs` (string)',
  ],
])('an event that is not Kafka’s is refused: %o', async (event, text) => {
  const { parseKafkaEvent } = await import('../../shared/record/kafka-event.ts');

  expect(() => parseKafkaEvent(event)).toThrow(text);
});
