import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { stackOf, summarizeError } from '../../shared/decide/error-summary.ts';
import { fingerprint } from '../../shared/decide/fingerprint.ts';
import { NonRetryableError } from '../../shared/errors.ts';
import {
  byPosition,
  json,
  lockstepConsumer,
  type RecordContext,
  text,
  type ValueDecoder,
} from '../../shared/lockstep-consumer.ts';
import { DeliveredRecord } from '../../shared/record/delivered-record.ts';
import { RecordHeaders } from '../../shared/record/record-headers.ts';
import { describeIssues, quoteIssues } from '../../shared/record/schema-issues.ts';
import { deliver } from '../../shared/testing/deliver.ts';
import { record } from '../../shared/testing/record.ts';

/** Texts that expressions go wrong at: what opens and never closes, what nearly matches, what nests. */
const HOSTILE: readonly (readonly [name: string, part: string])[] = [
  ['quotes', '"\\'],
  ['backticks', '`'],
  ['apostrophes', "' '"],
  ['half addresses', 'a@a.'],
  ['dots', 'a.'],
  ['digits', '1:1,'],
  ['hex', 'abcdef0'],
  ['letters and digits', 'a1a'],
  ['blanks', ' \n'],
  ['brackets', '([{'],
  ['line ends', '\n    at '],
  ['half characters', '\ud800'],
  ['words of schemas', 'received "'],
];

/** Milliseconds of the processor of the fastest of three runs: other processes of the machine do not count. */
function msOf(run: () => void): number {
  const times = Array.from({ length: 3 }, () => {
    const before = process.threadCpuUsage();
    run();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...times);
}

const schema = v.object({ id: v.string() });
const header = (name: string, length: number) => ({ [name]: new Array<number>(length).fill(97) });

describe.each(HOSTILE)('a megabyte of %s', (_, part) => {
  const MB = part.repeat(Math.ceil(1_000_000 / part.length));

  test.each<[string, () => void]>([
    ['in an error is summed up', () => summarizeError(new Error(MB), 'handler', undefined)],
    [
      'in an error is redacted',
      () => summarizeError(new Error(MB, { cause: new Error(MB) }), 'handler', (told) => told),
    ],
    [
      'in the name of an error is summed up',
      () => summarizeError(new NonRetryableError(MB, { code: MB }), 'handler', undefined),
    ],
    ['in a stack is cut', () => stackOf(Object.assign(new Error('a'), { stack: MB }), undefined)],
    ['in a thrown object is cut', () => summarizeError({ [MB]: MB }, 'handler', (told) => told)],
    ['has a fingerprint', () => fingerprint(summarizeError(new Error(MB), 'handler', undefined))],
    ['in an issue is described', () => describeIssues(schema, [{ message: MB, path: [MB, { key: MB }] }])],
    ['in an issue is quoted', () => quoteIssues([{ message: MB, path: [MB, { key: MB }] }])],
  ])('%s within a second', (__, run) => {
    expect(msOf(run)).toBeLessThan(1_000);
  });
});

describe('a megabyte of a value', () => {
  const of = (value: string) =>
    new DeliveredRecord({
      topic: 'o',
      partition: 0,
      offset: 0,
      timestamp: 0,
      value: Buffer.from(value).toString('base64'),
    });
  const exactly = json(undefined, { exactIntegers: true });
  test.each<[string, ValueDecoder<unknown>, string]>([
    ['that is one integer, read exactly', exactly, '9'.repeat(1_000_000)],
    ['that is one integer', json(), '9'.repeat(1_000_000)],
    ['that is a text of quotes', json(), JSON.stringify('"\\'.repeat(250_000))],
    ['that opens lists and closes none', json(), '['.repeat(1_000_000)],
    ['that is no JSON', json(), '"'.repeat(1_000_000)],
    ['that is text', text, '`'.repeat(1_000_000)],
  ])('%s is decoded or refused within a second', (_, decoder, value) => {
    const one = of(value);

    expect(
      msOf(() => {
        try {
          decoder.decode(one);
        } catch {
          // Undecodable.
        }
      }),
    ).toBeLessThan(1_000);
  });
});

describe('what grows tenfold takes no more than some thirtyfold', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => header(`h${index}`, 4));
  test.each<[string, (size: number) => () => void, number]>([
    [
      'headers that are looked up',
      (size) => {
        const headers = new RecordHeaders(many(size));
        return () => void headers.text('h1');
      },
      100_000,
    ],
    [
      'headers of one name',
      (size) => {
        const headers = new RecordHeaders(Array.from({ length: size }, () => header('a', 4)));
        return () => void headers.all('a');
      },
      100_000,
    ],
    [
      'issues',
      (size) => {
        const issues = Array.from({ length: size }, () => ({ message: 'a', path: ['id'] }));
        return () => void describeIssues(schema, issues);
      },
      50_000,
    ],
    [
      'a path',
      (size) => {
        const path = new Array<string>(size).fill('a');
        return () => void describeIssues(schema, [{ message: 'a', path }]);
      },
      50_000,
    ],
    [
      'a chain of causes',
      (size) => {
        let error = new Error('a');
        for (let depth = 0; depth < size; depth++) error = new Error('a', { cause: error });
        return () => void summarizeError(error, 'handler', undefined);
      },
      50_000,
    ],
    [
      'errors in one',
      (size) => {
        const error = new AggregateError(new Array(size).fill(new Error('a')));
        return () => void summarizeError(error, 'handler', undefined);
      },
      50_000,
    ],
  ])('%s', (_, make, size) => {
    const small = make(size / 10);
    const large = make(size);
    msOf(small);

    // A pause for garbage is no growth. What grows with the square takes seconds.
    expect(msOf(large)).toBeLessThan(30 * msOf(small) + 100);
  });
});

describe('nothing of a value reaches a log line or a header of a dead letter', () => {
  const runs = Number(process.env['LOCKSTEP_PROPERTY_RUNS'] ?? 50);
  const SECRET = 'q7secretq7';
  /** JSON in which names and leaves hold the secret. */
  const secretive = fc.letrec((tie) => ({
    leaf: fc.oneof(
      fc.constant(SECRET),
      fc.string().map((around) => `${around}${SECRET}${around}`),
      fc.constant(`"${SECRET}\\`),
      fc.constant(`\n${SECRET}`),
      fc.constant(`${SECRET}@example.com`),
    ),
    node: fc.oneof(
      { maxDepth: 3 },
      tie('leaf'),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(
        fc.oneof(fc.constantFrom('orderId', 'lines', 'accounts'), tie('leaf') as fc.Arbitrary<string>),
        tie('node'),
        { maxKeys: 4 },
      ),
    ),
  })).node;
  const strict = v.strictObject({
    orderId: v.pipe(
      v.string(),
      v.maxLength(3),
      v.check(
        () => false,
        ({ input }) => `odd ${input}`,
      ),
    ),
    lines: v.array(v.number()),
    accounts: v.record(v.pipe(v.string(), v.email()), v.number()),
  });
  const everything = async (value: unknown, handler: ReturnType<typeof lockstepConsumer>) => {
    const { deadLetters, logs } = await deliver(handler, [record({ value })], { maxDeliveries: 3 });
    expect(deadLetters.length).toBe(1);
    return [
      JSON.stringify(
        logs.map(({ text: line, fields }) => [line, fields, String((fields?.['error'] as Error)?.message)]),
      ),
      ...(deadLetters[0]?.headers.map(({ name, value: bytes }) => `${name}: ${bytes}`) ?? []),
    ].join('\n');
  };

  test('as the schema sees it', async () => {
    const handler = lockstepConsumer({ value: json(strict), idempotencyKey: byPosition, onRecord: () => undefined });
    await fc.assert(
      fc.asyncProperty(secretive, async (value) => {
        expect(await everything(value, handler)).not.toContain('secret');
      }),
      { numRuns: runs },
    );
  });

  test.each<[string, (value: string) => unknown]>([
    [
      'that a decoder throws',
      (value) => {
        throw new SyntaxError(`unexpected ${value}`);
      },
    ],
    [
      'that a decoder throws as it is',
      (value) => {
        throw JSON.parse(value);
      },
    ],
    [
      'that a decoder rejects with',
      async (value) => {
        throw Object.assign(new Error('a', { cause: value }), { name: value });
      },
    ],
  ])('%s', async (_, decode) => {
    const handler = lockstepConsumer({
      value: { decode: ({ valueBytes }) => decode(String(valueBytes)) },
      idempotencyKey: byPosition,
      onRecord: () => undefined,
    });
    await fc.assert(
      fc.asyncProperty(secretive, async (value) => {
        expect(await everything(value, handler)).not.toContain('secret');
      }),
      { numRuns: runs },
    );
  });

  test.each<[string, (value: never) => string]>([
    ['as an idempotency key that is none', (value) => value],
    ['as an idempotency key in a text of undefined', (value) => `${JSON.stringify(value)} undefined`],
  ])('%s', async (_, idempotencyKey) => {
    const handler = lockstepConsumer<never>({
      value: json() as never,
      idempotencyKey: ({ value }) => idempotencyKey(value),
      onRecord: () => undefined,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(secretive, { minLength: 1, maxLength: 3 }), async (value) => {
        expect(await everything(value, handler)).not.toContain('secret');
      }),
      { numRuns: runs },
    );
  });

  test.each<[string, (context: RecordContext, value: string) => void]>([
    ['as a topic', ({ produce }, value) => produce(value, { value })],
    ['as the name of a header', ({ produce }, value) => produce('next', { value, headers: { [value]: 5 as never } })],
    [
      'as a header that is none',
      ({ produce }, value) => produce('next', { value, headers: { a: { [value]: 1 } as never } }),
    ],
    ['as an action', ({ transact }, value) => transact({ [value]: 1 } as never)],
  ])('that a handler gives to its context %s', async (_, give) => {
    const handler = lockstepConsumer({
      value: text,
      idempotencyKey: byPosition,
      retry: { maxAttempts: 1 },
      onRecord: ({ value }, context) => give(context, value ?? ''),
    });

    expect(await everything(`${SECRET}@example.com`, handler)).not.toContain('secret');
  });

  test('that a header calls a traceparent', async () => {
    const handler = lockstepConsumer({
      value: text,
      idempotencyKey: byPosition,
      retry: { maxAttempts: 1 },
      onRecord: () => {
        throw new Error('no');
      },
    });
    const { logs } = await deliver(handler, [record({ value: 1, headers: { traceparent: `00-${SECRET}` } })]);

    expect(JSON.stringify(logs)).not.toContain('secret');
  });

  test('that a handler throws as it is', async () => {
    const handler = lockstepConsumer({
      value: text,
      idempotencyKey: byPosition,
      retry: { maxAttempts: 1 },
      onRecord: ({ value }) => {
        throw JSON.parse(value ?? '');
      },
    });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom('name', 'message', 'code', SECRET), secretive), async (value) => {
        expect(await everything(value, handler)).not.toContain('secret');
      }),
      { numRuns: runs },
    );
  });
});
