import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { ERRORS, LockstepError } from '../../../shared/errors.ts';
import { bytes, json, text, type ValueDecoder } from '../../../shared/record/decode.ts';
import { DeliveredRecord } from '../../../shared/record/delivered-record.ts';

const of = (value: Buffer | string | null) =>
  new DeliveredRecord({
    topic: 'orders',
    partition: 3,
    offset: 1_042,
    timestamp: 0,
    value: value === null ? null : Buffer.from(value).toString('base64'),
  });

/** What a decoder makes of a value: the value, or the text of its error without the hint. */
async function decoded<V>(decoder: ValueDecoder<V>, value: Buffer | string | null): Promise<unknown> {
  try {
    return await decoder.decode(of(value));
  } catch (error) {
    return [
      error instanceof LockstepError &&
        error.message.slice(0, error.message.lastIndexOf(ERRORS[error.code as 'KAFKA_VALUE_INVALID'].hint) - 2),
    ];
  }
}

async function errorOf<V>(decoder: ValueDecoder<V>, value: Buffer | string | null): Promise<unknown> {
  try {
    return await decoder.decode(of(value));
  } catch (error) {
    return error;
  }
}

const notUtf8 = Buffer.from([0x7b, 0xff, 0x7d]);

describe('bytes', () => {
  test('are as they came, a tombstone is null', async () => {
    expect(await decoded(bytes, notUtf8)).toEqual(notUtf8);
    expect(await decoded(bytes, null)).toBeNull();
  });
});

describe('text', () => {
  test('is UTF-8, a tombstone is null', async () => {
    expect(await decoded(text, 'Zoë')).toBe('Zoë');
    expect(await decoded(text, null)).toBeNull();
  });

  test('keeps a byte-order mark', async () => {
    expect(await decoded(text, Buffer.from('efbbbf61', 'hex'))).toBe('\ufeffa');
  });

  test('that is not UTF-8 is undecodable, never replaced', async () => {
    expect(await decoded(text, notUtf8)).toEqual(['KAFKA_VALUE_UNDECODABLE: value of orders-3@1042 is not UTF-8']);
  });
});

describe('json', () => {
  const Order = v.object({ orderId: v.string(), lines: v.array(v.object({ amount: v.number() })) });

  test('without a schema is what it says', async () => {
    expect(await decoded(json(), '{"a":1}')).toEqual({ a: 1 });
    expect(await decoded(json(), null)).toBeNull();
  });

  test('may begin with a byte-order mark', async () => {
    expect(await decoded(json(), Buffer.from('efbbbf37', 'hex'))).toBe(7);
  });

  test.each(['{', '', notUtf8])(
    'that is none (%s) is undecodable, and its error keeps nothing of the value',
    async (value) => {
      const error = await errorOf(json(), value);

      expect(error).toMatchObject({ code: 'KAFKA_VALUE_UNDECODABLE' });
      expect(error).toHaveProperty('message', expect.stringContaining('value of orders-3@1042 is not JSON'));
      expect('cause' in (error as Error)).toBe(false);
    },
  );

  const registry =
    'Decode it with `lockstep/avro`, `lockstep/protobuf` or `lockstep/registry`, or give the LockstepConsumer construct a `schemaRegistry`';
  test.each([
    [
      'Confluent’s serializers',
      '00000000077b7d',
      `it begins as Confluent's schema registry serializers write it. ${registry}`,
    ],
    [
      'AWS Glue’s',
      `0300${'ab'.repeat(16)}7b7d`,
      `it begins as the serializers of AWS Glue's schema registry write it. ${registry}`,
    ],
    [
      'AWS Glue’s, compressed',
      `0305${'ab'.repeat(16)}7b7d`,
      `it begins as the serializers of AWS Glue's schema registry write it. ${registry}`,
    ],
    ['gzip', '1f8b0800', 'it is compressed with gzip. Decompress it in a decoder of your own'],
    ['UTF-16', 'fffe7b00', 'it is UTF-16 text. Decode it in a decoder of your own'],
  ])('that %s wrote says so', async (_, hex, says) => {
    expect(await decoded(json(), Buffer.from(hex, 'hex'))).toEqual([
      `KAFKA_VALUE_UNDECODABLE: value of orders-3@1042 is not JSON: ${says}`,
    ]);
  });

  test('keeps large integers exact with the option', async () => {
    const value = '{"id":73314510714175489,"small":7,"part":0.5,"huge":1e300,"list":[-9007199254740993]}';

    expect(await decoded(json(undefined, { exactIntegers: true }), value)).toEqual({
      id: 73314510714175489n,
      small: 7,
      part: 0.5,
      huge: 1e300,
      list: [-9007199254740993n],
    });
    expect(await decoded(json(v.object({ id: v.bigint() }), { exactIntegers: true }), value)).toEqual({
      id: 73314510714175489n,
    });
    expect(await decoded(json(), '73314510714175489')).toBe(73314510714175490);
    expect(await decoded(json(undefined, { exactIntegers: true }), '1'.repeat(1_001))).toEqual([
      'KAFKA_VALUE_UNDECODABLE: value of orders-3@1042 is not JSON with integers of at most 1,000 digits',
    ]);
  });

  test('that is none is not shown to its schema', async () => {
    expect(await decoded(json(v.unknown()), '{')).toEqual([
      'KAFKA_VALUE_UNDECODABLE: value of orders-3@1042 is not JSON',
    ]);
  });

  test('that fits its schema is the schema’s output', async () => {
    expect(await decoded(json(v.pipe(v.string(), v.transform(Number))), '"7"')).toBe(7);
  });

  const INVALID = 'KAFKA_VALUE_INVALID: value of orders-3@1042 does not fit the schema: ';

  test('that does not fit says where, without what it got', async () => {
    expect(await decoded(json(Order), '{"orderId":"secret","lines":[{"amount":"secret"}]}')).toEqual([
      `${INVALID}lines[].amount: expected number`,
    ]);
  });

  test('that does not fit tells all its faults', async () => {
    expect(await decoded(json(Order), '{}')).toEqual([`${INVALID}orderId: object; lines: object`]);
  });

  test('that does not fit at its root has no place to name', async () => {
    expect(await decoded(json(v.string()), '5')).toEqual([`${INVALID}expected string`]);
  });

  test('names no key that only the value has', async () => {
    const schema = v.object({ accounts: v.record(v.string(), v.object({ balance: v.number() })) });

    expect(await decoded(json(schema), '{"accounts":{"alice@example.com":{"balance":"secret"}}}')).toEqual([
      `${INVALID}accounts.*.balance: expected number`,
    ]);
  });

  test('tells nothing that a schema’s author makes of the value', async () => {
    const schema = v.pipe(
      v.string(),
      v.check(
        () => false,
        ({ input }) => `wrong, received ${input}`,
      ),
    );

    expect(await decoded(json(schema), '"secret"')).toEqual([`${INVALID}check`]);
  });

  test('keeps the schema’s own words for those who redact', async () => {
    const error = await errorOf(json(Order), '{"orderId":"secret","lines":7}');

    expect(error).toHaveProperty('cause.name', 'QuotingCause');
    expect(error).toHaveProperty('cause.message', 'lines: Invalid type: Expected Array but received 7');
  });

  test('with many faults names five', async () => {
    const wide = v.object(Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`f${index}`, v.number()])));
    const five = v.object(Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`f${index}`, v.number()])));

    expect(String(await decoded(json(wide), '{}'))).toMatch(/f4: [^;]+ and 2 more$/);
    expect(String(await decoded(json(five), '{}'))).not.toContain('more');
  });

  test('takes a schema that answers later, by any thenable', async () => {
    const asked = v.pipeAsync(
      v.string(),
      v.checkAsync(async (value) => value === 'ok', 'no'),
    );
    const lazy = {
      '~standard': {
        version: 1 as const,
        vendor: 'own',
        validate: () =>
          Object.defineProperty({}, 'then', { value: (done: (result: object) => void) => done({ value: 7 }) }),
      },
    };

    expect(await decoded(json(asked), '"ok"')).toBe('ok');
    expect(await decoded(json(asked), '"x"')).toEqual([`${INVALID}check`]);
    expect(await decoded(json(lazy as never), '"x"')).toBe(7);
  });

  test('gives a tombstone to the schema as null', async () => {
    expect(await decoded(json(v.nullable(v.string())), null)).toBeNull();
    expect(await decoded(json(v.string()), null)).toEqual([`${INVALID}expected string`]);
  });

  test('names a place that a schema gives as segments, as far as its own words go', async () => {
    const schema = {
      words: { a: 1, b: 2 },
      '~standard': {
        version: 1 as const,
        vendor: 'own',
        validate: () => ({ issues: [{ message: 'no', path: ['a', { key: 'b' }, 0, 'c', Symbol('d')] }] }),
      },
    };

    expect(await decoded(json(schema), '1')).toEqual([`${INVALID}a.b[].*.*: is not valid`]);
  });

  test('survives a schema that goes in circles, and whose getters throw', async () => {
    const schema = {
      '~standard': { version: 1 as const, vendor: 'own', validate: () => ({ issues: [{ message: 'no' }] }) },
      get broken() {
        throw new Error('no');
      },
    };
    Object.assign(schema, { self: schema });

    expect(await decoded(json(schema), '1')).toEqual([`${INVALID}is not valid`]);
  });
});
