import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import {
  byPosition,
  json,
  lockstepConsumer,
  type RecordContext,
  TransactRefusedError,
} from '../../../shared/lockstep-consumer.ts';
import type { CommonOptions } from '../../../shared/options.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { record } from '../../../shared/testing/record.ts';
import type { TransactAction } from '../../../shared/transact-action.ts';

const Entry = v.object({ id: v.string() });
type Entry = v.InferOutput<typeof Entry>;

const put = (id: string) => ({ Put: { TableName: 'entries', Item: { id: { S: id } } } });
const idOf = (action: TransactAction) => JSON.stringify(action).match(/"id":\{"S":"([^"]+)"\}/)?.[1] ?? '';

/** A consumer that posts each entry, and notes the attempts. */
function transacting(
  post: (entry: Entry, context: RecordContext) => unknown = ({ id }, context) => context.transact(put(id)),
  options: Partial<CommonOptions<Entry>> = {},
) {
  const attempts: string[] = [];
  const handler = lockstepConsumer({
    value: json(Entry),
    idempotencyKey: byPosition,
    ...options,
    onRecord: async ({ value }, context) => {
      attempts.push(`${value.id}${context.attempt}`);
      await post(value, context);
    },
  });
  return { handler, attempts };
}

const entries = (ids: string) => [...ids].map((id) => record({ key: id, value: { id } }));

describe('actions given to transact', () => {
  test('are committed once, in order, though the process dies after the handler', async () => {
    const { handler, attempts } = transacting();

    const { effects } = await deliver(handler, entries('abc'), { crash: { afterRun: 2 } });

    expect(attempts).toEqual(['a1', 'b1', 'b1', 'c1']);
    expect(effects.map(idOf)).toEqual(['a', 'b', 'c']);
  });

  test('are committed once though the answer is lost: the revision tells their fate', async () => {
    const { handler, attempts } = transacting(undefined, { idempotencyKey: ({ value }) => value.id });

    const { effects, outcomes } = await deliver(handler, entries('ab'), { loseTransactionAnswers: 2 });

    expect(attempts).toEqual(['a1', 'b1']);
    expect(effects.map(idOf)).toEqual(['a', 'b']);
    expect(Object.values(outcomes)).toEqual(['handled', 'handled']);
  });

  test('of a handler that threw are discarded', async () => {
    const { handler } = transacting(({ id }, context) => {
      context.transact(put(`${id}${context.attempt}`));
      if (context.attempt < 3) throw new Error('not yet');
    });

    const { effects } = await deliver(handler, entries('a'));

    expect(effects.map(idOf)).toEqual(['a3']);
  });

  test('one of whose conditions does not hold are that record’s failure, with the reason', async () => {
    const { handler } = transacting(undefined, { retry: { maxAttempts: 2 } });

    const { effects, deadLetters } = await deliver(handler, entries('abc'), {
      refuseEffect: (effect) =>
        idOf(effect) === 'b' ? { code: 'ConditionalCheckFailed', text: 'The conditional request failed' } : undefined,
    });

    expect(effects.map(idOf)).toEqual(['a', 'c']);
    expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-message')?.value.toString()).toBe(
      'TRANSACT_REFUSED: transaction of orders-0@1 was refused: action 0: ConditionalCheckFailed (The conditional request failed). A condition of an action given to context.transact did not hold.',
    );
  });

  test('that were refused can be judged by retry.classify, by their reasons', async () => {
    const { handler, attempts } = transacting(undefined, {
      retry: {
        classify: (error) =>
          error instanceof TransactRefusedError && error.reasons[0]?.code === 'ConditionalCheckFailed'
            ? 'nonRetryable'
            : undefined,
      },
    });

    const { deadLetters } = await deliver(handler, entries('a'), {
      refuseEffect: () => ({ code: 'ConditionalCheckFailed', text: '' }),
    });

    expect(attempts).toEqual(['a1']);
    expect(deadLetters).toHaveLength(1);
  });

  test.each([
    ['99 actions', () => Array.from({ length: 99 }, (_, index) => put(`${index}`)), '99 actions of'],
    [
      '4 MB',
      () =>
        Array.from({ length: 10 }, (_, index) => ({
          Put: { TableName: 't', Item: { id: { S: `${index}` }, data: { B: Buffer.alloc(390_000) } } },
        })),
      '10 actions of 3900',
    ],
  ])(
    'of one record that are more than one transaction takes are its dead letter at once: %s',
    async (_, actions, said) => {
      const { handler, attempts } = transacting(
        ({ id }, context) => context.transact(...(id === 'b' ? actions() : [put(id)])),
        {
          idempotencyKey: ({ value }) => value.id,
        },
      );

      const { effects, deadLetters } = await deliver(handler, entries('abc'));

      expect(attempts).toEqual(['a1', 'b1', 'c1']);
      expect(effects.map(idOf)).toEqual(['a', 'c']);
      expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-message')?.value.toString()).toContain(
        `TRANSACT_TOO_LARGE: orders-0@1 added ${said}`,
      );
    },
  );
});

describe('in key order', () => {
  test('records of different keys share transactions', async () => {
    const { handler } = transacting(undefined, { order: 'key', idempotencyKey: ({ value }) => value.id });
    const ids = Array.from({ length: 64 }, (_, index) => `e${index}`);

    const { effects, transactions } = await deliver(
      handler,
      ids.map((id) => record({ key: id, value: { id } })),
    );

    expect(effects.map(idOf).toSorted()).toEqual(ids.toSorted());
    expect(transactions).toBeLessThan(20);
  });

  test('a refused one goes alone, and its neighbours’ effects are committed', async () => {
    const { handler } = transacting(undefined, { order: 'key', retry: { maxAttempts: 1 } });

    const { effects, deadLetters } = await deliver(handler, entries('abcdefgh'), {
      refuseEffect: (effect) =>
        idOf(effect) === 'd' ? { code: 'ConditionalCheckFailed', text: 'The conditional request failed' } : undefined,
    });

    expect(effects.map(idOf).toSorted()).toEqual(['a', 'b', 'c', 'e', 'f', 'g', 'h']);
    expect(deadLetters.map(({ origin }) => origin.offset)).toEqual([3]);
  });

  test('the effects of one key are committed in the order of its records', async () => {
    const { handler } = transacting(({ id }, context) => context.transact(put(id)), { order: 'key' });

    const { effects } = await deliver(
      handler,
      ['a1', 'b1', 'a2', 'b2', 'a3', 'c1'].map((id) => record({ key: id[0] ?? '', value: { id } })),
    );

    expect(effects.map(idOf).filter((id) => id.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(effects.map(idOf).filter((id) => id.startsWith('b'))).toEqual(['b1', 'b2']);
  });
});
