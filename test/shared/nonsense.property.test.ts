import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERRORS, LockstepError } from '../../shared/errors.ts';
import { byPosition, bytes, json, lockstepConsumer, type RecordContext, text } from '../../shared/lockstep-consumer.ts';
import { parseKafkaEvent } from '../../shared/record/kafka-event.ts';
import { comparedHash, idempotencyKeyText } from '../../shared/runtime/idempotency-key-text.ts';
import { deliver } from '../../shared/testing/deliver.ts';
import { kafkaEvent, record } from '../../shared/testing/record.ts';

/** `LOCKSTEP_PROPERTY_RUNS=100000` for a long look. */
const RUNS = Number(process.env['LOCKSTEP_PROPERTY_RUNS'] ?? 500);
/** Each of these delivers records to a handler. */
const DELIVERIES = Math.ceil(RUNS / 10);

/** Any value that JSON or JavaScript may hold, with names that objects go wrong at. */
const nonsense = fc.anything({
  key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'then', 'length', 'toJSON')),
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

/** What a call throws is one of our errors, with a code and a remedy; what it returns is returned. */
function orOurError<T>(call: () => T): T | LockstepError {
  try {
    return call();
  } catch (error) {
    expect(error).toBeInstanceOf(LockstepError);
    expect((error as LockstepError).message.length).toBeLessThan(2_000);
    return error as LockstepError;
  }
}

describe('the event parser', () => {
  test('takes any value, or refuses it with a code', () => {
    fc.assert(
      fc.property(nonsense, (event) => {
        orOurError(() => parseKafkaEvent(event));
      }),
      { numRuns: RUNS },
    );
  });

  test('reads an event of which anything was replaced, or refuses it with a code', () => {
    const places = fc.constantFrom(
      'topic',
      'partition',
      'offset',
      'timestamp',
      'key',
      'value',
      'headers',
      'timestampType',
      '__proto__',
    );
    fc.assert(
      fc.property(places, nonsense, fc.nat({ max: 1 }), (place, value, index) => {
        const event = JSON.parse(JSON.stringify(kafkaEvent([record({ key: 'k', value: 1 }), record({ value: 2 })])));
        Object.defineProperty(event.records['orders-0'][index], place, { value, enumerable: true });
        const parsed = orOurError(() => parseKafkaEvent(event));
        if (parsed instanceof LockstepError) return;
        for (const { records } of parsed.partitions)
          for (const one of records) {
            expect(one.position).toMatch(/@\d+$/);
            expect([one.key, one.keyBytes, one.valueBytes, [...one.headers]]).toHaveLength(4);
          }
      }),
      { numRuns: RUNS },
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('gives headers back as they were sent, whatever their names', () => {
    const headers = fc.array(
      fc.tuple(
        fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '7', '')),
        fc.uint8Array({ maxLength: 20 }),
      ),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(headers, (sent) => {
        const raw = sent.map(([name, value]) => Object.fromEntries([[name, [...new Int8Array(value)]]]));
        const [partition] = parseKafkaEvent(kafkaEvent([{ ...record(), headers: raw }])).partitions;
        const got = [...(partition?.records[0]?.headers ?? [])];
        expect(got.map(({ name, value }) => [name, value.toString('hex')])).toEqual(
          sent.map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
        );
      }),
      { numRuns: RUNS },
    );
  });
});

describe('decoders', () => {
  test.each([
    ['bytes', bytes],
    ['text', text],
    ['json', json()],
    ['json with exact integers', json(undefined, { exactIntegers: true })],
  ])('%s take any bytes, or call them undecodable', async (_, decoder) => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.json().map((value) => new Uint8Array(Buffer.from(value))),
        ),
        async (value) => {
          const event = kafkaEvent([record({ value: Buffer.from(value) })]);
          const one = parseKafkaEvent(event).partitions[0]?.records[0];
          if (one !== undefined) orOurError(() => decoder.decode(one));
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('of one’s own may return anything: the record is handled or dead-lettered', async () => {
    await fc.assert(
      fc.asyncProperty(nonsense, fc.boolean(), async (value, isThrown) => {
        const handler = lockstepConsumer<unknown>({
          value: {
            decode: () => {
              if (isThrown) throw value;
              return value;
            },
          },
          idempotencyKey: byPosition,
          onRecord: () => undefined,
        });
        const { outcomes } = await deliver(handler, [record({ value: 1 })], { maxDeliveries: 2 });
        expect(isThrown || value === undefined ? ['deadLettered'] : ['handled', 'deadLettered']).toContain(
          outcomes['orders-0@0'],
        );
      }),
      { numRuns: DELIVERIES },
    );
  });
});

describe('idempotency keys', () => {
  test('of any value are a text, or refused with a code', () => {
    fc.assert(
      fc.property(nonsense, (returned) => {
        const key = orOurError(() => idempotencyKeyText(returned, 'orders-0@0'));
        if (key instanceof LockstepError) expect(Object.keys(ERRORS)).toContain(key.code);
        else expect(key.trim()).not.toBe('');
      }),
      { numRuns: RUNS },
    );
  });

  test('of two values that differ differ', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.integer(), fc.bigInt()),
        fc.oneof(fc.string(), fc.integer(), fc.bigInt()),
        (a, b) => {
          const [first, second] = [a, b].map((one) => orOurError(() => idempotencyKeyText(one, 'orders-0@0')));
          if (first instanceof LockstepError || second instanceof LockstepError) return;
          expect(first === second).toBe(String(a) === String(b));
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('what is compared is the same whatever the order of its fields', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(comparedHash(turned, 'orders-0@0')).toBe(comparedHash(value, 'orders-0@0'));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('whatever a handler does with its context, in any order', () => {
  const calls = fc.array(
    fc.oneof(
      fc.tuple(fc.constant('produce' as const), nonsense, nonsense),
      fc.tuple(
        fc.constant('produce' as const),
        fc.constant('next'),
        fc.record({ key: nonsense, value: nonsense, headers: nonsense }, { requiredKeys: [] }),
      ),
      fc.tuple(fc.constant('produce' as const), fc.constant('next'), fc.record({ value: fc.string() })),
      fc.tuple(fc.constant('transact' as const), nonsense, nonsense),
      fc.tuple(fc.constant('read' as const), fc.constantFrom('signal', 'epoch', 'deadline', 'attempt'), fc.constant(0)),
      fc.tuple(fc.constant('throw' as const), nonsense, fc.constant(0)),
      fc.tuple(fc.constant('return' as const), nonsense, fc.constant(0)),
    ),
    { maxLength: 6 },
  );

  test('its record is settled, its neighbours are handled, and nothing half is passed on', async () => {
    await fc.assert(
      fc.asyncProperty(calls, async (script) => {
        const run = (context: RecordContext): unknown => {
          for (const [what, first, second] of script) {
            if (what === 'produce') context.produce(first as string, second as never);
            else if (what === 'transact') context.transact(first as never, second as never);
            else if (what === 'read') void context[first as 'signal'];
            else if (what === 'throw') throw first;
            else return first;
          }
        };
        const handler = lockstepConsumer({
          value: text,
          idempotencyKey: byPosition,
          order: 'key',
          retry: { maxAttempts: 2 },
          onRecord: ({ key }, context) => (key === 'odd' ? (run(context) as undefined) : undefined),
        });
        const { outcomes, produced, deadLetters } = await deliver(
          handler,
          ['a', 'odd', 'b'].map((key) => record({ key, value: Buffer.from(key) })),
          { maxDeliveries: 5 },
        );
        expect([outcomes['orders-0@0'], outcomes['orders-0@2']]).toEqual(['handled', 'handled']);
        expect(outcomes['orders-0@1']).toBe(deadLetters.length === 1 ? 'deadLettered' : 'handled');
        if (deadLetters.length === 1) expect(produced).toEqual([]);
        for (const { topic, value, key } of produced) {
          expect(topic).toMatch(/^[\w.-]+$/);
          expect([value, key].every((part) => part === null || Buffer.isBuffer(part))).toBe(true);
        }
      }),
      { numRuns: DELIVERIES },
    );
  });
});
