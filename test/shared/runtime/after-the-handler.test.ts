import { describe, expect, test } from 'vitest';
import { byPosition, lockstepConsumer, type RecordContext, text } from '../../../shared/lockstep-consumer.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { record } from '../../../shared/testing/record.ts';

const put = { Put: { TableName: 't', Item: { id: { S: '1' } } } };
const three = ['a', 'b', 'c'].map((value) => record({ key: value, value: Buffer.from(value) }));

describe('what a handler gives to its context', () => {
  const invalid = (says: string) =>
    `PRODUCE_INVALID: context.produce of orders-0@1 for topic \`next\`: expected ${says}`;
  test.each<[string, (context: RecordContext) => void, string]>([
    [
      'no value',
      ({ produce }) => produce('next', {} as never),
      invalid('`value` to be text, bytes, or null for a tombstone, got undefined'),
    ],
    [
      'a number as value',
      ({ produce }) => produce('next', { value: 7 as never }),
      invalid('`value` to be text or bytes, got a number'),
    ],
    [
      'an object as value',
      ({ produce }) => produce('next', { value: { id: 1 } as never }),
      invalid('`value` to be text or bytes, got an object'),
    ],
    [
      'a promise as value',
      ({ produce }) => produce('next', { value: Promise.resolve('a') as never }),
      invalid('`value` to be text or bytes, got an object'),
    ],
    [
      'a number as key',
      ({ produce }) => produce('next', { key: 7 as never, value: 'a' }),
      invalid('`key` to be text or bytes, got a number'),
    ],
    [
      'a header of undefined',
      ({ produce }) => produce('next', { value: 'a', headers: { trace: undefined as never } }),
      invalid('`headers.trace` to be text or bytes, got undefined'),
    ],
    [
      'headers as a list',
      ({ produce }) => produce('next', { value: 'a', headers: [] as never }),
      invalid('`headers` to be an object, got an array'),
    ],
    ['no record', ({ produce }) => produce('next', undefined as never), invalid('a record, got undefined')],
    [
      'no topic',
      ({ produce }) => produce(undefined as never, { value: 'a' }),
      'PRODUCE_INVALID: context.produce of orders-0@1 for a topic of type undefined: expected the name of a topic',
    ],
    [
      'an empty topic',
      ({ produce }) => produce('', { value: 'a' }),
      'PRODUCE_INVALID: context.produce of orders-0@1 for a topic with a name that Kafka does not allow: expected the name of a topic',
    ],
    [
      'a topic that Kafka has no name for',
      ({ produce }) => produce('a b', { value: 'a' }),
      'PRODUCE_INVALID: context.produce of orders-0@1 for a topic with a name that Kafka does not allow: expected the name of a topic',
    ],
    [
      'an action of no kind',
      ({ transact }) => transact({ Upddate: {} } as never),
      'TRANSACT_INVALID: context.transact of orders-0@1: expected objects with one of Put, Update, Delete and ConditionCheck, got an object with other members',
    ],
    [
      'an action of two kinds',
      ({ transact }) => transact({ ...put, Delete: {} } as never),
      'TRANSACT_INVALID: context.transact of orders-0@1: expected objects with one of Put, Update, Delete and ConditionCheck, got an object with Put, Delete',
    ],
    [
      'no action',
      ({ transact }) => transact(42 as never),
      'TRANSACT_INVALID: context.transact of orders-0@1: expected objects with one of Put, Update, Delete and ConditionCheck, got number',
    ],
  ])('is checked at once: %s is a counted attempt of that record, and its neighbours go on', async (_, give, says) => {
    const handler = lockstepConsumer({
      value: text,
      idempotencyKey: byPosition,
      order: 'key',
      retry: { maxAttempts: 2 },
      onRecord: ({ value }, context) => {
        context.produce('next', { value: `${value}` });
        if (value === 'b') give(context);
      },
    });

    const { outcomes, produced, deadLetters } = await deliver(handler, three);

    expect(outcomes).toEqual({ 'orders-0@0': 'handled', 'orders-0@1': 'deadLettered', 'orders-0@2': 'handled' });
    expect(produced.map(({ value }) => String(value)).sort()).toEqual(['a', 'c']);
    const header = (name: string) => deadLetters[0]?.headers.find((one) => one.name === name)?.value.toString();
    expect(header('x-retry-count')).toBe('2');
    expect(header('x-error-message')).toContain(says);
  });

  test('is what it was when it was given: a buffer may be used again', async () => {
    const buffer = Buffer.from('-');
    const handler = lockstepConsumer({
      value: text,
      idempotencyKey: byPosition,
      onRecord: ({ value }, { produce }) => {
        buffer.write(value ?? '');
        produce('next', { value: buffer, key: new Uint8Array(buffer) });
        buffer.write('-');
      },
    });

    const { produced } = await deliver(handler, three);

    expect(produced.map(({ key, value }) => `${key} ${value}`)).toEqual(['a a', 'b b', 'c c']);
  });

  test('may have members that are undefined, as objects with options have them', async () => {
    const handler = lockstepConsumer({
      value: text,
      idempotencyKey: byPosition,
      onRecord: (_, { produce, transact }) => {
        produce('next', { value: null, key: undefined, headers: undefined } as never);
        transact({ ...put, Delete: undefined });
      },
    });

    const { outcomes, produced, effects } = await deliver(handler, three.slice(0, 1));

    expect(outcomes).toEqual({ 'orders-0@0': 'handled' });
    expect([produced.length, effects.length]).toEqual([1, 1]);
  });
});

describe('what a handler does after it has ended', () => {
  test.each<[string, (context: RecordContext) => void]>([
    ['transact', ({ transact }) => transact(put)],
    ['produce', ({ produce }) => produce('next', { value: 'a' })],
  ])('throws where %s is called, is logged with the record, and fails the test', async (what, late) => {
    const thrown: unknown[] = [];
    const handler = lockstepConsumer({
      value: text,
      idempotencyKey: byPosition,
      onRecord: (_, context) => {
        setTimeout(() => {
          try {
            late(context);
          } catch (error) {
            thrown.push((error as Error).message);
          }
        }, 5);
      },
    });

    const says = `CONTEXT_ENDED: context.${what} was called after the handler of orders-0@0 had ended`;
    await expect(deliver(handler, three.slice(0, 1))).rejects.toThrow(says);
    expect(thrown).toEqual([expect.stringContaining(says)]);
  });

  test('throws too where the handler failed, and what it gave is not committed with the next try', async () => {
    let late: (() => void) | undefined;
    const handler = lockstepConsumer({
      value: text,
      idempotencyKey: byPosition,
      onRecord: (_, { produce }) => {
        if (late === undefined) {
          late = () => produce('next', { value: 'late' });
          throw new Error('not yet');
        }
        expect(late).toThrow('CONTEXT_ENDED');
      },
    });

    await expect(deliver(handler, three.slice(0, 1))).rejects.toThrow('CONTEXT_ENDED');
  });
});
