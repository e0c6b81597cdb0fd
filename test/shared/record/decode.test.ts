import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { bytes, type Decoded, json, text, type ValueDecoder } from '../../../shared/record/decode.ts';
import { DeliveredRecord } from '../../../shared/record/delivered-record.ts';

const of = (value: Buffer | string | null) =>
  new DeliveredRecord({
    topic: 'orders',
    partition: 3,
    offset: 1_042,
    timestamp: 0,
    value: value === null ? null : Buffer.from(value).toString('base64'),
  });

/** What a decoder makes of a value: the value, or stage and text of its error. */
async function told<V>(decoder: ValueDecoder<V>, value: Buffer | string | null): Promise<unknown> {
  const decoded: Decoded<V> = await decoder.decode(of(value));
  return decoded.type === 'decoded' ? decoded.value : [decoded.stage, decoded.error.message.split('. ')[0]];
}

const notUtf8 = Buffer.from([0x7b, 0xff, 0x7d]);

describe('bytes', () => {
  test('are as they came, a tombstone is null', async () => {
    expect(await told(bytes, notUtf8)).toEqual(notUtf8);
    expect(await told(bytes, null)).toBeNull();
  });
});

describe('text', () => {
  test('is UTF-8, a tombstone is null', async () => {
    expect(await told(text, 'Zoë')).toBe('Zoë');
    expect(await told(text, null)).toBeNull();
  });

  test('that is not UTF-8 says what its bytes were refused for', async () => {
    const decoded = await text.decode(of(notUtf8));

    expect(decoded.type === 'undecodable' && decoded.error.cause).toBeInstanceOf(TypeError);
  });

  test('that is not UTF-8 is undecodable, never replaced', async () => {
    expect(await told(text, notUtf8)).toEqual([
      'decode',
      'KAFKA_VALUE_UNDECODABLE: value of orders-3@1042 is not UTF-8',
    ]);
  });
});

describe('json', () => {
  const Order = v.object({ orderId: v.string(), lines: v.array(v.object({ amount: v.number() })) });

  test('without a schema is what it says', async () => {
    expect(await told(json(), '{"a":1}')).toEqual({ a: 1 });
    expect(await told(json(), null)).toBeNull();
  });

  test.each(['{', '', notUtf8])(
    'that is none (%s) is undecodable, and its error keeps nothing of the value',
    async (value) => {
      const decoded = await json().decode(of(value));

      expect(decoded).toMatchObject({ type: 'undecodable', stage: 'decode' });
      expect(decoded.type === 'undecodable' && decoded.error.message).toContain('value of orders-3@1042 is not JSON');
      expect(decoded.type === 'undecodable' && 'cause' in decoded.error).toBe(false);
    },
  );

  test('that is none is not shown to its schema', async () => {
    expect(await told(json(v.unknown()), '{')).toEqual([
      'decode',
      'KAFKA_VALUE_UNDECODABLE: value of orders-3@1042 is not JSON',
    ]);
  });

  test('that fits its schema is the schema’s output', async () => {
    expect(await told(json(v.pipe(v.string(), v.transform(Number))), '"7"')).toBe(7);
  });

  test('that does not fit says where, without what it got', async () => {
    expect(await told(json(Order), '{"orderId":"secret","lines":[{"amount":"secret"}]}')).toEqual([
      'validate',
      'KAFKA_VALUE_INVALID: value of orders-3@1042 does not fit the schema: lines.0.amount: Invalid type: Expected number but received something else',
    ]);
  });

  test('that does not fit is undecodable, and all its faults are told', async () => {
    expect(await json(Order).decode(of('{}'))).toMatchObject({ type: 'undecodable', stage: 'validate' });
    expect(await told(json(Order), '{}')).toEqual([
      'validate',
      'KAFKA_VALUE_INVALID: value of orders-3@1042 does not fit the schema: orderId: Invalid key: Expected "…" but received something else; lines: Invalid key: Expected "…" but received something else',
    ]);
  });

  test('that does not fit at its root has no place to name', async () => {
    expect(await told(json(v.string()), '5')).toEqual([
      'validate',
      'KAFKA_VALUE_INVALID: value of orders-3@1042 does not fit the schema: Invalid type: Expected string but received something else',
    ]);
  });

  test('quotes nothing of the value, however the schema words it', async () => {
    const schema = v.pipe(
      v.string(),
      v.check(() => false, 'bad "secret \\" word" here'),
    );

    expect(await told(json(schema), '"x"')).toEqual([
      'validate',
      'KAFKA_VALUE_INVALID: value of orders-3@1042 does not fit the schema: bad "…" here',
    ]);
  });

  test('quotes nothing of a value of several lines', async () => {
    const schema = v.pipe(
      v.string(),
      v.check(
        () => false,
        ({ input }) => `wrong, received ${input}`,
      ),
    );

    expect(await told(json(schema), '"secret\\nsecret"')).toEqual([
      'validate',
      'KAFKA_VALUE_INVALID: value of orders-3@1042 does not fit the schema: wrong, received something else',
    ]);
  });

  // As arktype, Effect and yup word it.
  test.each([
    ['must be less than 10 (was 4111111111111111)', 'must be less than 10 (was something else'],
    ['Expected string, actual 4111111111111111', 'Expected string, actual something else'],
    [
      'must be a `string` type, but the final value was: `4111`.',
      'must be a `string` type, but the final value was: something else',
    ],
    ['was not given', 'was not given'],
  ])('quotes no number either: %s', async (worded, expected) => {
    const schema = v.pipe(
      v.number(),
      v.check(() => false, worded),
    );

    expect(await told(json(schema), '4111111111111111')).toEqual([
      'validate',
      `KAFKA_VALUE_INVALID: value of orders-3@1042 does not fit the schema: ${expected}`,
    ]);
  });

  test('with many faults names five', async () => {
    const wide = v.object(Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`f${index}`, v.number()])));
    const five = v.object(Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`f${index}`, v.number()])));

    expect(String(await told(json(wide), '{}'))).toMatch(/f4: [^;]+ and 2 more$/);
    expect(String(await told(json(five), '{}'))).not.toContain('more');
  });

  test('takes a schema that answers later', async () => {
    expect(
      await told(
        json(
          v.pipeAsync(
            v.string(),
            v.checkAsync(async (value) => value === 'ok', 'no'),
          ),
        ),
        '"ok"',
      ),
    ).toBe('ok');
    expect(
      await told(
        json(
          v.pipeAsync(
            v.string(),
            v.checkAsync(async (value) => value === 'ok', 'no'),
          ),
        ),
        '"x"',
      ),
    ).toEqual(['validate', 'KAFKA_VALUE_INVALID: value of orders-3@1042 does not fit the schema: no']);
  });

  test('gives a tombstone to the schema as null', async () => {
    expect(await told(json(v.nullable(v.string())), null)).toBeNull();
    expect(await told(json(v.string()), null)).toMatchObject([
      'validate',
      expect.stringContaining('received something else'),
    ]);
  });

  test('names a place that a schema gives as segments', async () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'own',
        validate: () => ({ issues: [{ message: 'no', path: ['a', { key: 'b' }, 0] }] }),
      },
    };

    expect(await told(json(schema), '1')).toEqual([
      'validate',
      'KAFKA_VALUE_INVALID: value of orders-3@1042 does not fit the schema: a.b.0: no',
    ]);
  });
});
