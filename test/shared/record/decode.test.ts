import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { ERRORS, LockstepError } from '../../../shared/errors.ts';
import { bytes, isThenable, json, text, type ValueDecoder } from '../../../shared/record/decode.ts';
import { DeliveredRecord } from '../../../shared/record/delivered-record.ts';
import { quoteIssues } from '../../../shared/record/schema-issues.ts';
import { serializerOf } from '../../../shared/record/serializer-of.ts';

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
/** A JSON text, but for one byte in its quotes. */
const quotedNotUtf8 = Buffer.from([0x22, 0xff, 0x22]);

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

  test.each(['{', '', notUtf8, quotedNotUtf8])(
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
    ['UTF-16, the high byte first', 'feff007b', 'it is UTF-16 text. Decode it in a decoder of your own'],
  ])('that %s wrote says so', async (_, hex, says) => {
    expect(await decoded(json(), Buffer.from(hex, 'hex'))).toEqual([
      `KAFKA_VALUE_UNDECODABLE: value of orders-3@1042 is not JSON: ${says}`,
    ]);
  });

  test.each([
    ['nothing', ''],
    ['a zero and a schema id without a value', '0000000007'],
    ['a Glue header without a value', `0300${'ab'.repeat(16)}`],
    ['a Glue version with a compression that Glue has not', `0301${'ab'.repeat(17)}`],
    ['another version than Glue has', `0200${'ab'.repeat(17)}`],
    ['only the first byte of gzip', '1f00'],
    ['only the second byte of gzip', '008b'],
    ['only the first byte of each mark of UTF-16', 'ff00fe00'],
    ['only the second byte of one mark', '00fe'],
    ['only the second byte of the other mark', '00ff'],
    ['the first byte of the other mark alone', 'fe00'],
  ])('that begins with %s shows no serializer', (_, hex) => {
    expect(serializerOf(Buffer.from(hex, 'hex'))).toBeUndefined();
  });

  test('keeps integers of a thousand digits exact with the option, with a sign or without', async () => {
    const exact = json(undefined, { exactIntegers: true });
    const digits = '7'.repeat(1_000);

    expect(await decoded(exact, digits)).toBe(BigInt(digits));
    expect(await decoded(exact, `-${digits}`)).toBe(BigInt(`-${digits}`));
    expect(await decoded(exact, `-1${digits}`)).toEqual([
      'KAFKA_VALUE_UNDECODABLE: value of orders-3@1042 is not JSON with integers of at most 1,000 digits',
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

  /** A schema that finds these issues in any value. */
  const finding = (...issues: readonly object[]) => ({
    '~standard': { version: 1 as const, vendor: 'own', validate: () => ({ issues: issues as never }) },
  });
  const saidOf = async (schema: ReturnType<typeof finding>) => (await decoded(json(schema), '1')) as string[];

  test.each([
    'invalid_type',
    'too_big',
    'too_small',
    'invalid_format',
    'not_multiple_of',
    'unrecognized_keys',
    'invalid_union',
    'invalid_key',
    'invalid_element',
    'invalid_value',
    'custom',
  ])('names what Zod calls %s', async (code) => {
    expect(await saidOf(finding({ message: 'secret', code }))).toEqual([`${INVALID}${code}`]);
  });

  test('names the fault and what its schema expected', async () => {
    const schema = { type: 'number', ...finding({ message: 'no', code: 'invalid_type', expected: 'number' }) };

    expect(await saidOf(schema)).toEqual([`${INVALID}invalid_type, expected number`]);
  });

  test('names the first sixteen segments of a path, and says where there are more', async () => {
    const path = (count: number) => finding({ message: 'no', path: Array.from({ length: count }, () => 0) });

    expect(await saidOf(path(16))).toEqual([`${INVALID}${'[]'.repeat(16)}: is not valid`]);
    expect(await saidOf(path(17))).toEqual([`${INVALID}${'[]'.repeat(16)}…: is not valid`]);
  });

  test('names words of a schema up to 64 characters, also of its functions', async () => {
    const [word, longer] = ['w'.repeat(64), 'w'.repeat(65)];
    const call = Object.assign(() => {}, { inFunction: 1 });
    const schema = { [word]: 1, [longer]: 1, call, ...finding({ message: 'no', path: [word, longer, 'inFunction'] }) };

    expect(await saidOf(schema)).toEqual([`${INVALID}${word}.*.inFunction: is not valid`]);
  });

  test('searches the first 20,000 parts of a schema for its words', async () => {
    let parts: object = {};
    for (let part = 20_001; part > 0; part--) parts = { [`part-${part}`]: 1, next: parts };
    const schema = { ...finding({ message: 'no', path: ['part-19999', 'part-20000'] }), parts };

    expect(await saidOf(schema)).toEqual([`${INVALID}part-19999.*: is not valid`]);
  });

  test('reads a schema once, however many values do not fit it', async () => {
    let reads = 0;
    const schema = Object.defineProperty(finding({ message: 'no' }), 'part', { enumerable: true, get: () => reads++ });

    await saidOf(schema);
    await saidOf(schema);

    expect(reads).toBe(1);
  });

  test('quotes five issues for those who redact, each cut', () => {
    const long = { message: 'm'.repeat(2_001), path: ['s'.repeat(65), { key: 'key' }, 0] };
    const short = { message: 'no' };

    expect(quoteIssues([long, short, short, short, short, short])).toBe(
      `${'s'.repeat(64)}.key.0: ${'m'.repeat(2_000)}; : no; : no; : no; : no`,
    );
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

describe('what await would wait for', () => {
  const then = () => {};

  test.each([
    ['an object with a `then`', { then }],
    ['a function with a `then`', Object.assign(() => {}, { then })],
  ])('is %s', (_, value) => {
    expect(isThenable(value)).toBe(true);
  });

  test.each([
    ['null', null],
    ['nothing', undefined],
    ['a number', 7],
    ['an object without a `then`', {}],
    ['an object whose `then` is no function', JSON.parse('{"then":7}')],
    ['a function', then],
  ])('is not %s', (_, value) => {
    expect(isThenable(value)).toBe(false);
  });
});
