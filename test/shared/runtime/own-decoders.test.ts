import { describe, expect, test, vi } from 'vitest';
import { byPosition, json, lockstepConsumer, type ValueDecoder } from '../../../shared/lockstep-consumer.ts';
import type { CommonOptions } from '../../../shared/options.ts';
import type { DeliveredRecord } from '../../../shared/record/delivered-record.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { record } from '../../../shared/testing/record.ts';

const parse = ({ valueBytes }: DeliveredRecord) => JSON.parse(String(valueBytes));
const byKey = ({ value }: { readonly value: { readonly id: string } }) => value.id;

function thenable(then: unknown): object {
  return Object.defineProperty({}, 'then', { value: then });
}

/** What became of one record, and what its handler got. */
async function delivered(decode: (record: DeliveredRecord) => unknown, options: Partial<CommonOptions<never>> = {}) {
  const got: unknown[] = [];
  const handler = lockstepConsumer({
    value: { decode } as ValueDecoder<never>,
    idempotencyKey: byPosition,
    ...options,
    onRecord: ({ value }) => void got.push(value),
  });
  const { outcomes, deadLetters } = await deliver(handler, [record({ value: { id: 'secret' } })]);
  const header = (name: string) => deadLetters[0]?.headers.find((one) => one.name === name)?.value.toString();
  return {
    got,
    outcome: outcomes['orders-0@0'],
    stage: header('x-stage'),
    text: header('x-error-message'),
    deadLetters,
  };
}

describe.each<[string, Partial<CommonOptions<never>>]>([
  ['by position', {}],
  ['with idempotency keys', { idempotencyKey: byKey as never }],
])('a decoder of one’s own, %s', (_, options) => {
  test.each<[string, (record: DeliveredRecord) => unknown]>([
    ['returns', parse],
    ['resolves to', async (one) => parse(one)],
    ['gives to a thenable', (one) => thenable((done: (value: unknown) => void) => done(parse(one)))],
  ])('what it %s is the value', async (__, decode) => {
    expect(await delivered(decode, options)).toMatchObject({ got: [{ id: 'secret' }], outcome: 'handled' });
  });

  test.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new RangeError('secret');
      },
      'threw RangeError',
    ],
    [
      'rejects with',
      async () => {
        throw new RangeError('secret');
      },
      'threw RangeError',
    ],
    [
      'throws from a thenable',
      () =>
        thenable(() => {
          throw new TypeError('secret');
        }),
      'threw TypeError',
    ],
    [
      'throws that is no error',
      () => {
        throw { name: 'secret' };
      },
      'threw Object',
    ],
    [
      'throws in a getter of what it returns',
      () =>
        Object.defineProperty({}, 'then', {
          get() {
            throw new TypeError('secret');
          },
        }),
      'threw TypeError',
    ],
    [
      'throws that may not even be looked at',
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        throw proxy;
      },
      'threw Error',
    ],
  ])('what it %s makes the record undecodable, and tells nothing of the value', async (__, decode, says) => {
    const { got, outcome, stage, text, deadLetters } = await delivered(decode, options);

    expect({ got, outcome, stage }).toEqual({ got: [], outcome: 'deadLettered', stage: 'decode' });
    expect(text).toContain(`the decoder of the option \`value\` ${says} for orders-0@0`);
    expect(deadLetters[0]?.headers.filter(({ value }) => value.includes('secret'))).toEqual([]);
  });

  test('tells what it threw to those who redact', async () => {
    const { text } = await delivered(
      () => {
        throw new RangeError('a secret');
      },
      {
        ...options,
        redact: (told) => told.replace('secret', '…'),
      },
    );

    expect(text).toContain('(caused by RangeError: a …)');
  });

  test.each([undefined, Promise.resolve(undefined)])('that returns nothing is named', async (nothing) => {
    const { got, outcome, text } = await delivered(() => nothing, options);

    expect({ got, outcome }).toEqual({ got: [], outcome: 'deadLettered' });
    expect(text).toContain('the decoder of the option `value` returned undefined for orders-0@0');
  });
});

describe('each try has a value of its own', () => {
  test.each<[string, Partial<CommonOptions<{ id: string; amount: number }>>]>([
    ['by position', {}],
    ['with idempotency keys', { idempotencyKey: byKey }],
    ['in key order', { idempotencyKey: byKey, order: 'key' }],
  ])('%s', async (_, options) => {
    const seen: number[] = [];
    const handler = lockstepConsumer<{ id: string; amount: number }>({
      value: { decode: parse },
      idempotencyKey: byPosition,
      ...options,
      onRecord: ({ value }) => {
        seen.push(value.amount);
        value.amount *= 100;
        if (seen.length < 3) throw new Error('not yet');
      },
    });

    await deliver(handler, [record({ value: { id: 'a', amount: 5 } })]);

    expect(seen).toEqual([5, 5, 5]);
  });

  test.each<[string, Partial<CommonOptions<{ id: string; amount: number }>>]>([
    ['by position', {}],
    ['with idempotency keys', { idempotencyKey: byKey }],
  ])('in onBatch, %s', async (_, options) => {
    const seen: number[] = [];
    const handler = lockstepConsumer<{ id: string; amount: number }>({
      value: { decode: parse },
      idempotencyKey: byPosition,
      ...options,
      onBatch: (records) => {
        for (const { value } of records) {
          seen.push(value.amount);
          value.amount *= 100;
        }
        if (seen.length < 5) throw new Error('not yet');
      },
    });

    await deliver(handler, [record({ value: { id: 'a', amount: 5 } }), record({ value: { id: 'b', amount: 7 } })]);

    expect(seen).toEqual([5, 7, 5, 5, 5, 7]);
  });

  test('after a crash too', async () => {
    const seen: number[] = [];
    const handler = lockstepConsumer<{ id: string; amount: number }>({
      value: { decode: parse },
      idempotencyKey: byKey,
      onRecord: ({ value }) => {
        seen.push(value.amount);
        value.amount *= 100;
        if (seen.length < 4) throw new Error('not yet');
      },
    });

    const { outcomes } = await deliver(handler, [record({ value: { id: 'a', amount: 5 } })], {
      crash: { afterRun: 1 },
    });

    expect(outcomes).toEqual({ 'orders-0@0': 'handled' });
    expect(seen).toEqual([5, 5, 5, 5]);
  });
});

describe('what is no decoder is refused at cold start, with the fix', () => {
  const standard = { '~standard': { version: 1, vendor: 'own', validate: () => ({ value: 1 }) } };
  test.each<[string, unknown, string]>([
    ['a schema', standard, 'a decoder and no schema: write `json(schema)`'],
    [
      'a schema with a decode of its own, as zod’s',
      { ...standard, decode: () => 1 },
      'a decoder and no schema: write `json(schema)`',
    ],
    [
      'a schema that is a function, as arktype’s',
      Object.assign(() => 1, standard),
      'a decoder and no schema: write `json(schema)`',
    ],
    ['json itself', json, 'a decoder: write `json(schema)`, or `json()` without a schema'],
    [
      'a codec, as protobufjs’ and avsc’s',
      { encode: () => 1, decode: () => 1 },
      'a decoder of records and no codec of bytes',
    ],
    ['a TextDecoder', new TextDecoder(), 'a decoder of records and no codec of bytes'],
    ['a function', () => 1, 'a decoder such as json(schema)'],
    ['a promise of a decoder', Promise.resolve({ decode: () => 1 }), 'a decoder such as json(schema)'],
  ])('%s', (_, value, says) => {
    const call = () => lockstepConsumer({ value: value as never, idempotencyKey: byPosition, onRecord: vi.fn() });

    expect(call).toThrow(`OPTIONS_INVALID: expected \`value\` to be ${says}`);
  });
});
