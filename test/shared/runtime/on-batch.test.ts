import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import {
  BatchFailure,
  byPosition,
  type ConsumerRecord,
  json,
  lockstepConsumer,
  NonRetryableError,
  PauseError,
  type RecordContext,
} from '../../../shared/lockstep-consumer.ts';
import type { CommonOptions } from '../../../shared/options.ts';
import type { DeadLetter } from '../../../shared/ports/dead-letter-publisher.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { record } from '../../../shared/testing/record.ts';

const Reading = v.object({ id: v.string() });
type Reading = v.InferOutput<typeof Reading>;
type Records = readonly ConsumerRecord<Reading>[];

/** A consumer that notes each call, and fails as it is told. */
function noting(
  fail: (records: Records, context: RecordContext) => unknown = () => undefined,
  options: Partial<CommonOptions<Reading>> & { maxBatchRecords?: number } = {},
) {
  const calls: string[] = [];
  const handler = lockstepConsumer({
    value: json(Reading),
    idempotencyKey: byPosition,
    ...options,
    onBatch: async (records, context) => {
      calls.push(records.map(({ value }) => value.id).join(''));
      await fail(records, context);
    },
  });
  return { handler, calls };
}

const readings = (ids: string, key?: string) => [...ids].map((id) => record({ key: key ?? id, value: { id } }));
const find = (records: Records, id: string) => records.find(({ value }) => value.id === id);
const header = ({ headers }: DeadLetter, name: string) =>
  headers.find((other) => other.name === name)?.value.toString();

describe('a call of onBatch', () => {
  test('gets the fresh records of one partition, and settles them', async () => {
    const { handler, calls } = noting();

    const { outcomes, answers } = await deliver(handler, [
      ...readings('abc'),
      record({ partition: 1, value: { id: 'x' } }),
    ]);

    expect(calls.toSorted()).toEqual(['abc', 'x']);
    expect(Object.values(outcomes)).toEqual(['handled', 'handled', 'handled', 'handled']);
    expect(answers).toEqual([{ batchItemFailures: [] }]);
  });

  test('gets maxBatchRecords at most; the next call follows in order', async () => {
    const { handler, calls } = noting(undefined, { maxBatchRecords: 2 });

    await deliver(handler, readings('abcde'));

    expect(calls).toEqual(['ab', 'cd', 'e']);
  });

  test('leaves out what was handled before and what is in the batch twice', async () => {
    const { handler, calls } = noting(undefined, { idempotencyKey: ({ value }) => value.id });

    const { outcomes, metrics } = await deliver(handler, readings('abacb'));

    expect(calls).toEqual(['abc']);
    expect(outcomes).toEqual({
      'orders-0@0': 'handled',
      'orders-0@1': 'handled',
      'orders-0@2': 'duplicate',
      'orders-0@3': 'handled',
      'orders-0@4': 'duplicate',
    });
    expect(metrics['RecordsHandled']).toBe(3);
  });

  test('is cut by a record without a value, which gets its letter in its turn', async () => {
    const { handler, calls } = noting();

    const { deadLetters, outcomes } = await deliver(handler, [
      ...readings('ab'),
      record({ value: Buffer.from('{') }),
      ...readings('c'),
    ]);

    expect(calls).toEqual(['ab', 'c']);
    expect(deadLetters.map(({ origin }) => origin.offset)).toEqual([2]);
    expect(outcomes['orders-0@3']).toBe('handled');
  });

  test('that names no record after a PauseError pauses the partition, and counts nothing', async () => {
    let paused = false;
    const { handler, calls } = noting(() => {
      if (paused) return;
      paused = true;
      throw new PauseError({ resumeAfterMs: 30_000 });
    });

    const { deadLetters, metrics } = await deliver(handler, readings('ab'));

    expect(calls).toEqual(['ab', 'ab']);
    expect(deadLetters).toEqual([]);
    expect(metrics).toMatchObject({ PartitionsPaused: 1 });
    expect(metrics['AttemptsFailed']).toBeUndefined();
  });
});

describe('a BatchFailure', () => {
  test('settles what came before, tries its record alone, and then goes on with the rest', async () => {
    const attempts: number[] = [];
    const { handler, calls } = noting((records, { attempt }) => {
      const c = find(records, 'c');
      if (c === undefined) return;
      attempts.push(attempt);
      if (attempt < 3) throw new BatchFailure(c, { cause: new Error('not yet') });
    });

    const { deadLetters, answers } = await deliver(handler, readings('abcde'));

    expect(calls).toEqual(['abcde', 'c', 'c', 'de']);
    expect(attempts).toEqual([1, 2, 3]);
    expect(deadLetters).toEqual([]);
    expect(answers).toHaveLength(1);
  });

  test('settles the duplicates that come before its record too', async () => {
    let failed = false;
    const { handler, calls } = noting(
      (records) => {
        const b = find(records, 'b');
        if (failed || b === undefined) return;
        failed = true;
        throw new BatchFailure(b, { cause: new Error('not yet') });
      },
      { idempotencyKey: ({ value }) => value.id, retry: { inlineRetries: 0 } },
    );

    const { answers, outcomes } = await deliver(handler, readings('aabc'));

    expect(calls).toEqual(['abc', 'b', 'c']);
    expect(answers[0]?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier.offset)).toEqual([2, 3]);
    expect(outcomes['orders-0@1']).toBe('duplicate');
  });

  test('for ever has its record dead-lettered with its cause after maxAttempts', async () => {
    const { handler, calls } = noting(
      (records) => {
        const b = find(records, 'b');
        if (b !== undefined) throw new BatchFailure(b, { cause: new RangeError('no such thing') });
      },
      { retry: { maxAttempts: 4, inlineRetries: 1 } },
    );

    const { deadLetters, outcomes } = await deliver(handler, readings('abc'));

    expect(calls).toEqual(['abc', 'b', 'b', 'b', 'c']);
    expect(outcomes).toEqual({ 'orders-0@0': 'handled', 'orders-0@1': 'deadLettered', 'orders-0@2': 'handled' });
    expect(deadLetters.map((letter) => [header(letter, 'x-retry-count'), header(letter, 'x-error-name')])).toEqual([
      ['4', 'RangeError'],
    ]);
  });

  test('with a NonRetryableError has its record dead-lettered at once', async () => {
    const { handler, calls } = noting((records) => {
      const a = find(records, 'a');
      if (a !== undefined)
        throw new BatchFailure(a, { cause: new NonRetryableError('refused', { code: 'READING_UNKNOWN_SENSOR' }) });
    });

    const { deadLetters } = await deliver(handler, readings('abc'));

    expect(calls).toEqual(['abc', 'bc']);
    expect(deadLetters.map((letter) => header(letter, 'x-error-name'))).toEqual(['READING_UNKNOWN_SENSOR']);
  });

  test('with a PauseError settles the records before, and pauses at its record', async () => {
    let paused = false;
    const { handler, calls } = noting((records) => {
      const c = find(records, 'c');
      if (paused || c === undefined) return;
      paused = true;
      throw new BatchFailure(c, { cause: new PauseError({ resumeAfterMs: 5_000 }) });
    });

    await deliver(handler, readings('abcd'));

    expect(calls).toEqual(['abcd', 'cd']);
  });

  test('that names a record of another call is that call’s own error', async () => {
    const { handler, calls } = noting(
      (records) => {
        if (find(records, 'b')) throw new BatchFailure({ offset: 4_711 });
      },
      { retry: { maxAttempts: 1 } },
    );

    const { deadLetters } = await deliver(handler, readings('abc'));

    expect(calls).toEqual(['abc', 'a', 'b', 'c']);
    expect(deadLetters.map((letter) => header(letter, 'x-error-name'))).toEqual(['BATCH_FAILURE_FOREIGN']);
    expect(header(deadLetters[0] as DeadLetter, 'x-error-message')).toBe(
      'BATCH_FAILURE_FOREIGN: BatchFailure names offset 4711, expected orders-0@1. Give BatchFailure one of the records that onBatch was called with.',
    );
  });
});

describe('an error that names no record', () => {
  test('makes the next calls have one record each, so that the failure counts only for the record that fails', async () => {
    const { handler, calls } = noting(
      (records) => {
        if (find(records, 'c')) throw new Error('somewhere');
      },
      { retry: { maxAttempts: 2, inlineRetries: 5 } },
    );

    const { deadLetters, outcomes } = await deliver(handler, readings('abcdef'));

    expect(calls).toEqual(['abcdef', 'a', 'b', 'c', 'c', 'def']);
    expect(deadLetters.map(({ origin }) => origin.offset)).toEqual([2]);
    expect(Object.values(outcomes).filter((type) => type === 'handled')).toHaveLength(5);
  });

  test('that passes costs no record an attempt', async () => {
    const attempts: number[] = [];
    let failed = false;
    const { handler, calls } = noting((_, { attempt }) => {
      attempts.push(attempt);
      if (failed) return;
      failed = true;
      throw new Error('the table was throttled');
    });

    const { metrics } = await deliver(handler, readings('abc'));

    expect(calls).toEqual(['abc', 'a', 'b', 'c']);
    expect(attempts).toEqual([1, 1, 1, 1]);
    expect(metrics['AttemptsFailed']).toBeUndefined();
  });

  test('is remembered across invocations, so that a record never shares a call with one that is suspected', async () => {
    const { handler, calls } = noting(
      (records) => {
        if (find(records, 'b')) throw new Error('somewhere');
      },
      { retry: { maxAttempts: 3, inlineRetries: 0 } },
    );

    await deliver(handler, readings('abc'));

    expect(calls).toEqual(['abc', 'a', 'b', 'b', 'b', 'c']);
  });
});

describe('a crash in onBatch', () => {
  test('makes the next invocation hand over one record at a time', async () => {
    const { handler, calls } = noting();

    const { outcomes } = await deliver(handler, readings('abc'), { crash: { afterRun: 1 } });

    expect(calls).toEqual(['abc', 'a', 'b', 'c']);
    expect(Object.values(outcomes)).toEqual(['handled', 'handled', 'handled']);
  });
});

describe('onBatch in key order', () => {
  test('keeps only the followers of a failed record out of later calls', async () => {
    const { handler, calls } = noting(
      (records) => {
        const a = find(records, 'a');
        if (a !== undefined) throw new BatchFailure(a, { cause: new Error('never') });
      },
      { order: 'key', retry: { maxAttempts: 3, inlineRetries: 0 } },
    );

    const { deadLetters } = await deliver(handler, [
      ...readings('x', 'k1'),
      ...readings('a', 'k2'),
      ...readings('y', 'k1'),
      ...readings('b', 'k2'),
    ]);

    expect(calls).toEqual(['xayb', 'y', 'a', 'a', 'b']);
    expect(deadLetters.map(({ origin }) => origin.offset)).toEqual([1]);
  });
});

describe('what onBatch wants committed', () => {
  const put = (id: string) => ({ Put: { TableName: 'readings', Item: { id: { S: id } } } });

  test('is committed once, with the settling of all records of the call', async () => {
    const { handler, calls } = noting((records, context) => {
      context.transact(...records.map(({ value }) => put(value.id)));
    });

    const { effects } = await deliver(handler, readings('abc'), { crash: { afterRun: 1 } });

    expect(calls).toEqual(['abc', 'a', 'b', 'c']);
    expect(effects).toEqual([put('a'), put('b'), put('c')]);
  });

  test('is discarded with a BatchFailure, and what came before runs again, alone', async () => {
    let failed = false;
    const { handler, calls } = noting((records, context) => {
      context.transact(...records.map(({ value }) => put(value.id)));
      const b = find(records, 'b');
      if (failed || b === undefined) return;
      failed = true;
      throw new BatchFailure(b);
    });

    const { effects } = await deliver(handler, readings('ab'));

    expect(calls).toEqual(['ab', 'a', 'b']);
    expect(effects).toEqual([put('a'), put('b')]);
  });

  test('names the record that a produced one comes from, so that its id never changes', async () => {
    const { handler } = noting((records, context) => {
      for (const one of records) context.produce('seen', { key: one.value.id, value: one.value.id, from: one });
    });

    const { produced } = await deliver(handler, readings('ab'), { crash: { afterRun: 1 } });
    const ids = produced.map(({ value, headers }) => [value?.toString(), headers[0]?.value.toString()]);

    expect(ids).toEqual([
      ['a', '11111111-2222-3333-4444-555555555555-1/deliver/orders-0@0/1767225600000/0'],
      ['b', '11111111-2222-3333-4444-555555555555-1/deliver/orders-0@1/1767225600001/0'],
    ]);
  });

  test('without `from` is refused where it could be any of several', async () => {
    const { handler, calls } = noting((_, context) => context.produce('seen', { value: '1' }));

    const { produced, logs } = await deliver(handler, readings('ab'));

    expect(calls).toEqual(['ab', 'a', 'b']);
    expect(produced).toHaveLength(2);
    expect(logs.map(({ fields }) => fields?.['error'])).toContain('PRODUCE_SOURCE_UNKNOWN');
  });
});
