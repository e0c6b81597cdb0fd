import { describe, expect, test } from 'vitest';
import { json, lockstepConsumer } from '../../../shared/lockstep-consumer.ts';
import type { CommonOptions } from '../../../shared/options.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { record } from '../../../shared/testing/record.ts';

// biome-ignore lint/suspicious/noExplicitAny: a handler in JavaScript knows no types
type Loose = any;

/** What becomes of records of these texts, by the key that `key` makes of each. */
async function keyed(
  texts: readonly string[],
  key: (value: Loose) => unknown,
  options: Partial<CommonOptions<Loose>> = {},
) {
  let runs = 0;
  const handler = lockstepConsumer<Loose>({
    value: json() as never,
    ...options,
    idempotencyKey: ({ value }: Loose) => key(value) as string,
    onRecord: () => void runs++,
  });
  const { outcomes, deadLetters } = await deliver(
    handler,
    texts.map((text) => record({ value: Buffer.from(text) })),
  );
  const header = (name: string) => deadLetters[0]?.headers.find((one) => one.name === name)?.value.toString();
  return { runs, outcomes: Object.values(outcomes), name: header('x-error-name'), text: header('x-error-message') };
}

const two = ['{"id":"a"}', '{"id":"b"}'];

describe('a key that two different records could have by mistake is refused, and nothing of it is logged', () => {
  test.each<[string, (value: Loose) => unknown, string, string]>([
    ['undefined', (v) => v.nope, 'IDEMPOTENCY_KEY_EMPTY', 'returned undefined'],
    ['null', () => null, 'IDEMPOTENCY_KEY_EMPTY', 'returned null'],
    ['an empty text', () => '', 'IDEMPOTENCY_KEY_EMPTY', 'returned an empty string'],
    ['NaN', (v) => Number(v.nope), 'IDEMPOTENCY_KEY_INVALID', 'returned NaN or Infinity'],
    ['Infinity', () => 1 / 0, 'IDEMPOTENCY_KEY_INVALID', 'returned NaN or Infinity'],
    ['blanks', () => ' \t\n', 'IDEMPOTENCY_KEY_INVALID', 'returned blanks'],
    ['blanks of other scripts', () => '\u00a0\u3000', 'IDEMPOTENCY_KEY_INVALID', 'returned blanks'],
    [
      'a template of undefined',
      (v) => `${v.nope}`,
      'IDEMPOTENCY_KEY_INVALID',
      'returned a text with undefined, null or NaN in it',
    ],
    [
      'a template with undefined',
      (v) => `order-${v.nope}`,
      'IDEMPOTENCY_KEY_INVALID',
      'returned a text with undefined, null or NaN in it',
    ],
    [
      'a template with undefined first',
      (v) => `${v.nope}:eu`,
      'IDEMPOTENCY_KEY_INVALID',
      'returned a text with undefined, null or NaN in it',
    ],
    [
      'a template with null',
      () => `order#${null}`,
      'IDEMPOTENCY_KEY_INVALID',
      'returned a text with undefined, null or NaN in it',
    ],
    [
      'a template with NaN',
      (v) => `order/${Number(v.nope)}`,
      'IDEMPOTENCY_KEY_INVALID',
      'returned a text with undefined, null or NaN in it',
    ],
    [
      'a template with an object',
      (v) => `order ${v}`,
      'IDEMPOTENCY_KEY_INVALID',
      'returned a text with undefined, null or NaN in it',
    ],
    ['2^53', () => 2 ** 53, 'IDEMPOTENCY_KEY_INVALID', 'returned a number beyond 2^53'],
    ['-2^63', () => -(2 ** 63), 'IDEMPOTENCY_KEY_INVALID', 'returned a number beyond 2^53'],
    ['an object', (v) => v, 'IDEMPOTENCY_KEY_INVALID', 'returned an object'],
    ['an array', (v) => [v.id], 'IDEMPOTENCY_KEY_INVALID', 'returned an object'],
    ['a symbol', () => Symbol('a'), 'IDEMPOTENCY_KEY_INVALID', 'returned a symbol'],
    ['a function', () => () => 'a', 'IDEMPOTENCY_KEY_INVALID', 'returned a function'],
    ['a promise', async (v) => v.id, 'IDEMPOTENCY_KEY_INVALID', 'returned a promise'],
    [
      'a promise that is rejected',
      () => Promise.reject(new Error('no')),
      'IDEMPOTENCY_KEY_INVALID',
      'returned a promise',
    ],
  ])('%s', async (_, key, name, says) => {
    const { runs, outcomes, text, ...rest } = await keyed(two, key);

    expect({ runs, outcomes, name: rest.name }).toEqual({ runs: 0, outcomes: ['deadLettered', 'deadLettered'], name });
    expect(text).toContain(`idempotencyKey of orders-0@0 ${says}`);
  });

  test.each<[string, (value: Loose) => unknown]>([
    ['a text with undefined as part of a word', (v) => `undefinedness-${v.id}`],
    ['a text with a name that begins as NaN does', (v) => `NaNcy-${v.id}`],
    ['a number with a part', (v) => (v.id === 'a' ? 0.5 : 1.5)],
    ['zero and one', (v) => (v.id === 'a' ? 0 : 1)],
    ['a bigint', (v) => (v.id === 'a' ? 2n ** 64n : 2n ** 64n + 1n)],
    ['a boolean', (v) => v.id === 'a'],
    ['a text with half a character', (v) => `${v.id}\ud800`],
  ])('%s is a key', async (_, key) => {
    expect(await keyed(two, key)).toMatchObject({ runs: 2, outcomes: ['handled', 'handled'] });
  });
});

describe('three orders with ids beyond 2^53', () => {
  const orders = [488, 489, 490].map((end) => `{"id":73314510714175${end}}`);

  test.each(['deadLetter', 'skip'] as const)('are never one, with onKeyReuse: %s', async (onKeyReuse) => {
    const { runs, outcomes, name } = await keyed(orders, (v) => v.id, { onKeyReuse });

    expect({ runs, outcomes, name }).toEqual({
      runs: 0,
      outcomes: ['deadLettered', 'deadLettered', 'deadLettered'],
      name: 'IDEMPOTENCY_KEY_INVALID',
    });
  });

  test('are handled where integers are read exactly', async () => {
    const value = json(undefined, { exactIntegers: true }) as never;

    expect(await keyed(orders, (v) => v.id, { value })).toMatchObject({ runs: 3 });
  });
});

describe('an order that is sent again', () => {
  const first = '{"id":"o1","amount":5,"sentAt":1}';
  const again: [string, string][] = [
    ['with another time', '{"id":"o1","amount":5,"sentAt":2}'],
    ['with its fields in another order', '{"sentAt":1,"amount":5,"id":"o1"}'],
    ['with spaces', '{ "id": "o1", "amount": 5 }'],
  ];
  const compare = ({ value: { id, amount } }: Loose) => ({ amount, id });

  test.each(again)('%s is a reuse by default: values are compared byte by byte', async (_, text) => {
    expect(await keyed([first, text], (v) => v.id)).toMatchObject({
      outcomes: ['handled', 'deadLettered'],
      name: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  test.each(again)('%s is a duplicate where what is compared is equal', async (_, text) => {
    expect(await keyed([first, text], (v) => v.id, { onKeyReuse: { compare } })).toMatchObject({
      runs: 1,
      outcomes: ['handled', 'duplicate'],
    });
  });

  test('with another amount is a reuse where the amount is compared', async () => {
    const other = '{"id":"o1","amount":6,"sentAt":1}';

    expect(await keyed([first, other], (v) => v.id, { onKeyReuse: { compare } })).toMatchObject({
      runs: 1,
      outcomes: ['handled', 'deadLettered'],
      name: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  test('is compared in other partitions and in later invocations too', async () => {
    const handler = lockstepConsumer<Loose>({
      value: json() as never,
      idempotencyKey: ({ value }: Loose) => value.id,
      onKeyReuse: { compare },
      retry: { inlineRetries: 0 },
      onRecord: ({ partition }, { attempt }) => {
        if (partition === 1 && attempt === 1) throw new Error('not yet');
      },
    });
    const of = (partition: number, text: string) => record({ partition, value: Buffer.from(text) });

    const { outcomes } = await deliver(handler, [of(0, first), of(1, '{"id":"o2"}'), of(1, again[0]?.[1] ?? '')]);

    expect(outcomes).toEqual({ 'orders-0@0': 'handled', 'orders-1@0': 'handled', 'orders-1@1': 'duplicate' });
  });

  test.each<[string, () => unknown]>([
    ['names nothing', () => undefined],
    [
      'throws',
      () => {
        throw new RangeError('odd');
      },
    ],
    [
      'names what goes in a circle',
      () => {
        const a: { self?: unknown } = {};
        a.self = a;
        return a;
      },
    ],
  ])('fails with its key where what to compare %s', async (_, odd) => {
    expect(await keyed([first], (v) => v.id, { onKeyReuse: { compare: odd } })).toMatchObject({
      runs: 0,
      outcomes: ['deadLettered'],
    });
  });

  test('may have large integers and dates in what is compared', async () => {
    const big = () => ({ at: new Date(0), id: 2n ** 60n });

    expect(await keyed([first, again[0]?.[1] ?? ''], (v) => v.id, { onKeyReuse: { compare: big } })).toMatchObject({
      outcomes: ['handled', 'duplicate'],
    });
  });
});
