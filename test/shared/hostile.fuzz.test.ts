/**
 * Whatever stands in an event, a header, an entry of the queue, a record of the dead-letter topic or a request of an operator: it is
 * read or refused with a code, in time that grows with its length, and touches nothing else. `LOCKSTEP_FUZZ_RUNS=100000` for a long look.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { partitionNamed, recordNamed, spanNamed } from '../../cli/named.ts';
import { visible } from '../../cli/visible.ts';
import { encodeFallbackEntry } from '../../shared/adapters/sqs/fallback-entry.ts';
import { deadLetter } from '../../shared/decide/dead-letter.ts';
import { type LetterRecord, markerRecord, readLetterTopic } from '../../shared/decide/letter.ts';
import { redrivenRecord } from '../../shared/decide/redrive.ts';
import { readReturned } from '../../shared/decide/returned-record.ts';
import { signedHeaders, textSignature } from '../../shared/decide/signature.ts';
import { LockstepError } from '../../shared/errors.ts';
import { letterDetail } from '../../shared/operator/letter-lines.ts';
import { checkRights } from '../../shared/operator/look-only.ts';
import { readOperatorRequest } from '../../shared/operator/requests.ts';
import { parseKafkaEvent } from '../../shared/record/kafka-event.ts';
import type { RecordHeader } from '../../shared/record/record-headers.ts';
import { readRelayEntry } from '../../shared/relay/relay-entry.ts';
import { FAKE_SECRET } from '../../shared/testing/fake-stack-secret.ts';
import { kafkaEvent, record } from '../../shared/testing/record.ts';
import { blockedRecordAt } from '../fixtures/progress.ts';

const RUNS = { numRuns: Number(process.env['LOCKSTEP_FUZZ_RUNS'] ?? 300) };
const OWNER = { secret: FAKE_SECRET, group: 'billing', deadLetterTopic: 'orders-dead-letters' };
const FORGER = { ...OWNER, secret: Buffer.alloc(32, 'a guess') };

/** Names that objects go wrong at. */
const ODD_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'then', 'toJSON', 'length', ''];
const oddName = fc.oneof(fc.string(), fc.constantFrom(...ODD_NAMES));
const anything = fc.anything({ key: oddName, withBigInt: true, withNullPrototype: true, withSparseArray: true });
/** What JSON can hold, with those names in it: as an attacker would send it. */
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 0, -1, 1e308, 2 ** 53, '', '\u0000', '\ud800', '9'.repeat(400)),
    fc.string(),
    fc.double(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(oddName, tie('value'), { maxKeys: 4 }),
  ),
})).value;

const before = [Object.prototype, Array.prototype, Function.prototype, Map.prototype].map((one) =>
  Reflect.ownKeys(one),
);
afterAll(() => {
  const after = [Object.prototype, Array.prototype, Function.prototype, Map.prototype].map((one) =>
    Reflect.ownKeys(one),
  );
  expect(after).toEqual(before);
});

/** What a call returns, or the error of ours that it throws: with one of these codes, and short. */
function read<T>(call: () => T, ...codes: readonly string[]): T | undefined {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    expect(codes).toContain(error.code);
    expect(error.message.length).toBeLessThan(2_000);
    return undefined;
  }
}

/** A value of which one thing, anywhere in it, was replaced. */
function mutated(base: object): fc.Arbitrary<unknown> {
  const paths = pathsOf(base);
  return fc.tuple(fc.constantFrom(...paths), anything, oddName, fc.boolean()).map(([path, value, name, isAdded]) => {
    const copy = structuredClone(base);
    let at = copy as Record<string, unknown>;
    for (const step of path.slice(0, -1)) at = at[step] as Record<string, unknown>;
    // An array's length is none that anything can be set to.
    const last = isAdded && !Array.isArray(at) ? name : (path.at(-1) ?? name);
    Object.defineProperty(at, last, { value, enumerable: true, configurable: true, writable: true });
    return copy;
  });
}

function pathsOf(value: object, path: readonly string[] = []): string[][] {
  return Object.entries(value).flatMap(([name, member]) => [
    [...path, name],
    ...(typeof member === 'object' && member !== null ? pathsOf(member, [...path, name]) : []),
  ]);
}

describe('an event', () => {
  const base = JSON.parse(
    JSON.stringify(kafkaEvent([record({ key: 'k', value: 1, headers: { a: 'b' } }), record({ value: 2 })])),
  );

  test.each<[string, fc.Arbitrary<unknown>]>([
    ['of anything', anything],
    ['of JSON', json],
    ['of which something was replaced', mutated(base)],
  ])('%s is read or refused', (_, events) => {
    fc.assert(
      fc.property(events, (event) => {
        const parsed = read(() => parseKafkaEvent(event), 'EVENT_NOT_KAFKA', 'EVENT_RECORD_MALFORMED');
        for (const { topic, partition, records } of parsed?.partitions ?? [])
          for (const one of records) {
            read(() => [one.key, one.keyBytes, one.valueBytes, one.valueHash], 'EVENT_RECORD_MALFORMED');
            const headers = read(() => [...one.headers], 'EVENT_RECORD_MALFORMED');
            if (headers === undefined) continue;
            const said = { topic, partition, key: null, value: null, headers };
            expect(readReturned(FAKE_SECRET, said)).toBeUndefined();
          }
      }),
      RUNS,
    );
  });
});

/** Headers as a producer may send them: ours, those of others, and any. */
const OUR_NAMES = [
  'x-original-topic',
  'x-original-partition',
  'x-original-offset',
  'x-original-timestamp',
  'x-consumer-group',
  'x-dead-letter-id',
  'x-redrive-count',
  'x-doubtful',
  'x-lockstep-for',
  'x-lockstep-marker',
  'x-lockstep-signature',
  'x-foreign-x-doubtful',
  'x-foreign-headers',
  'kafka_dlt-original-offset',
  '__connect.errors.topic',
];
const HEADER_VALUES = ['', '0', '-1', '-1000000', 'Infinity', '9'.repeat(30), 'NaN', 'billing', 'orders', 'redriven'];
const headersArbitrary = fc.array(
  fc.record({
    name: fc.oneof(fc.constantFrom(...OUR_NAMES), oddName),
    value: fc.oneof(
      fc.constantFrom(...HEADER_VALUES).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    ),
  }),
  { maxLength: 30 },
) satisfies fc.Arbitrary<RecordHeader[]>;
const bytes = fc.option(fc.uint8Array({ maxLength: 30 }).map((some) => Buffer.from(some)));
const onTopic = fc.record({
  partition: fc.nat(5),
  offset: fc.nat(1_000),
  key: bytes,
  value: fc.oneof(
    bytes,
    json.map((value) => Buffer.from(JSON.stringify(value) ?? '')),
  ),
  headers: headersArbitrary,
  timestamp: fc.oneof(fc.nat(), fc.constantFrom(-1, 2 ** 60, Number.MAX_SAFE_INTEGER)),
}) satisfies fc.Arbitrary<LetterRecord>;

describe('a record of the dead-letter topic', () => {
  test('that Lockstep did not write is foreign, of another group, or nothing, whatever it says', () => {
    fc.assert(
      fc.property(onTopic, (found) => {
        expect(['foreign', 'other']).toContain(readLetterTopic(found, OWNER).type);
      }),
      RUNS,
    );
  });

  test('that another secret signed is foreign', () => {
    fc.assert(
      fc.property(onTopic, fc.constantFrom('letter', 'marker', 'returned'), (found, kind) => {
        const signed = { ...found, headers: signedHeaders(FORGER.secret, kind, 'billing', found) };
        expect(['foreign', 'other']).toContain(readLetterTopic(signed, OWNER).type);
      }),
      RUNS,
    );
  });

  test('that is a letter of ours says where its record was, whatever headers that came with, and returns it as it was', () => {
    fc.assert(
      fc.property(onTopic, ({ key, value, headers, timestamp, partition, offset }) => {
        const place = { topic: 'orders', partition, offset };
        const letter = deadLetter(
          { ...place, key, value, headers, timestamp },
          {
            cluster: 'c',
            group: 'billing',
            secret: FAKE_SECRET,
            blocked: blockedRecordAt(offset, { exhausted: true, attempts: 1 }),
            stack: '',
            maxAttempts: 5,
            now: 1_795_251_600_000,
            requestId: 'r',
            names: [],
            maxBytes: 1_114_124,
            returned: undefined,
          },
        );
        const found = readLetterTopic({ ...letter, partition: 0, offset: 7 }, OWNER);
        if (found.type !== 'letter') throw new Error(`a letter of ours is ${found.type}`);
        expect(found.letter.origin).toEqual({ ...place, timestamp });
        expect(found.letter.redriveCount).toBe(0);
        expect(found.letter.isDoubtful).toBe(false);
        expect(JSON.parse(JSON.stringify(letterDetail(found.letter))).id).toBe(letter.id);

        const target = { topic: 'orders', partitions: new Set([partition]), group: 'billing' };
        const back = redrivenRecord(found.letter, target, FAKE_SECRET);
        expect([back.topic, back.partition, back.timestamp]).toEqual(['orders', partition, timestamp]);
        const returned = readReturned(FAKE_SECRET, back);
        expect(returned?.own).toEqual(headers);
        expect(returned).toMatchObject({ group: 'billing', redriveCount: 1 });
        // Elsewhere the same bytes are nobody's.
        expect(readReturned(FAKE_SECRET, { ...back, partition: partition + 1 })).toBeUndefined();
      }),
      RUNS,
    );
  });

  test('that is a marker closes what lies before it only, and one of which a byte was changed closes nothing', () => {
    const ranges = fc
      .uniqueArray(fc.nat(500), { minLength: 1, maxLength: 20 })
      .map((offsets) => offsets.sort((a, b) => a - b).map((offset) => ({ from: offset, to: offset })));
    fc.assert(
      fc.property(ranges, fc.nat(500), fc.nat(), fc.integer({ min: 1, max: 255 }), (offsets, at, where, flip) => {
        const marker = { what: 'purged', offsets, at: 1_795_251_600_000, by: 'ann' } as const;
        const written = { ...markerRecord(marker, OWNER, 2), partition: 2, offset: at };
        const found = readLetterTopic(written, OWNER);
        if (found.type !== 'marker') throw new Error(`a marker of ours is ${found.type}`);
        expect(found.marker.offsets.every(({ to }) => to < at)).toBe(true);

        const value = Buffer.from(written.value);
        const index = where % value.length;
        value[index] = (value[index] ?? 0) ^ flip;
        expect(readLetterTopic({ ...written, value }, OWNER).type).not.toBe('marker');
        expect(readLetterTopic({ ...written, partition: 3 }, OWNER).type).toBe('foreign');
      }),
      RUNS,
    );
  });
});

describe('an entry of the queue', () => {
  const place = { cluster: 'c', group: 'billing', topic: 'orders', partition: 0 };
  const RANGE = encodeFallbackEntry(
    { type: 'abandoned', partition: place, offsets: [{ from: 3, to: 90 }] },
    FAKE_SECRET,
  );
  const LETTER = encodeFallbackEntry(
    {
      type: 'letter',
      letter: {
        id: 'i',
        origin: { topic: 'orders', partition: 0, offset: 3 },
        key: null,
        value: Buffer.from('v'),
        headers: [{ name: 'a', value: Buffer.from('b') }],
        timestamp: 1,
      },
    },
    FAKE_SECRET,
  );
  const discarded = {
    requestContext: { condition: 'RetriesExhausted' },
    KafkaBatchInfo: { recordsInfo: { 'orders-3': { firstRecordOffset: '0', lastRecordOffset: '39' } } },
  };
  const anyText = fc.oneof(
    fc.string(),
    json.map((value) => JSON.stringify(value) ?? ''),
    mutated(discarded).map((value) => JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}` : one))),
    mutated(JSON.parse(RANGE)).map((value) =>
      JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}` : one)),
    ),
  );

  test('that this stack did not sign is what Lambda wrote, or foreign', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        if (text === RANGE) return;
        const entry = read(() => readRelayEntry(text, FAKE_SECRET), 'RELAY_ENTRY_FOREIGN');
        expect(['discarded', undefined]).toContain(entry?.type);
        if (entry?.type !== 'discarded') return;
        for (const { range } of entry.discarded.ranges)
          expect(Number.isSafeInteger(range.from) && Number.isSafeInteger(range.to)).toBe(true);
      }),
      RUNS,
    );
  });

  test.each([
    ['an offset', (big: string) => ({ 'orders-3': { firstRecordOffset: [big], lastRecordOffset: big } })],
    ['a partition', (big: string) => ({ [big]: { firstRecordOffset: '0', lastRecordOffset: '1' } })],
    ['what a partition has', (big: string) => ({ [`${big}-0`]: big })],
  ])('is told in a few words, however much it says: %s', (_, recordsInfoOf) => {
    const recordsInfo = recordsInfoOf('\u001b]52;secret'.repeat(50_000));
    const text = JSON.stringify({ requestContext: { condition: 'x' }, KafkaBatchInfo: { recordsInfo } });
    try {
      readRelayEntry(text, FAKE_SECRET);
      throw new Error('it was read');
    } catch (error) {
      const told = `${(error as Error).message} ${((error as Error).cause as Error).message}`;
      expect(error).toMatchObject({ code: 'RELAY_ENTRY_FOREIGN' });
      expect(told.length).toBeLessThan(1_500);
      expect(told).not.toMatch(/\p{Cc}/u);
    }
  });

  test('of ours of which a character was changed is foreign', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(RANGE, LETTER),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1 }),
        (text, at, put) => {
          const index = at % text.length;
          const changed = text.slice(0, index) + put + text.slice(index + 1);
          if (changed === text) return;
          expect(read(() => readRelayEntry(changed, FAKE_SECRET), 'RELAY_ENTRY_FOREIGN')).toBeUndefined();
        },
      ),
      RUNS,
    );
  });

  test('that is signed and says nonsense is unreadable, and never half read', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const body = `${text.slice(0, -1)}}`;
        const signed = `${body.slice(0, -1)},"signature":"${textSignature(FAKE_SECRET, body)}"}`;
        const entry = read(() => readRelayEntry(signed, FAKE_SECRET), 'RELAY_ENTRY_UNREADABLE', 'RELAY_ENTRY_FOREIGN');
        if (entry?.type !== 'abandoned') return;
        let last = -1;
        for (const { from, to } of entry.offsets) {
          expect([from > last, to >= from, Number.isSafeInteger(from), Number.isSafeInteger(to)]).toEqual([
            true,
            true,
            true,
            true,
          ]);
          last = to;
        }
      }),
      RUNS,
    );
  });

  test.each(['0+zzzzzzzzzzzzzzzzzzzz', 'zzzzzzzzzzzz', '5,0', '5+3,0', ','])(
    'that names no offsets that can be is unreadable: %s',
    (offsets) => {
      const body = JSON.stringify({ v: 1, type: 'abandoned', partition: place, offsets });
      const signed = `${body.slice(0, -1)},"signature":"${textSignature(FAKE_SECRET, body)}"}`;
      expect(() => readRelayEntry(signed, FAKE_SECRET)).toThrow('RELAY_ENTRY_UNREADABLE');
    },
  );
});

describe('a request of an operator', () => {
  const base = {
    type: 'redrive',
    filter: {
      fingerprint: '3f',
      since: 1,
      partition: 0,
      fromOffset: 1,
      toOffset: 2,
      key: 'k',
      errorName: 'e',
      id: 'i',
    },
    dryRun: true,
    rate: 5,
    maxRedrives: 3,
    includeDoubtful: false,
    by: 'ann',
  };

  test.each<[string, fc.Arbitrary<unknown>]>([
    ['of anything', anything],
    ['of JSON', json],
    ['of which something was replaced', mutated(base)],
    ['that tells a lot', fc.string({ minLength: 1, maxLength: 50 }).map((part) => ({ type: part.repeat(1_000) }))],
  ])('%s is read or refused, in a line without anything that acts on a terminal', (_, requests) => {
    fc.assert(
      fc.property(requests, (request) => {
        try {
          const order = readOperatorRequest(request);
          expect(Object.getPrototypeOf(order)).toBe(Object.prototype);
        } catch (error) {
          if (!(error instanceof LockstepError)) throw error;
          expect(error.code).toBe('OPERATOR_REQUEST_INVALID');
          expect(error.message.length).toBeLessThan(2_000);
          expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
        }
      }),
      RUNS,
    );
  });

  test('under the alias that may only look changes nothing, however it is put', () => {
    const alias = 'arn:aws:lambda:eu-central-1:111122223333:function:Operator:look';
    fc.assert(
      fc.property(mutated(base), (request) => {
        const order = read(() => readOperatorRequest(request), 'OPERATOR_REQUEST_INVALID');
        if (order === undefined) return;
        const may = read(() => {
          checkRights(order, alias);
          return 'may';
        }, 'OPERATOR_MAY_ONLY_LOOK');
        if ('dryRun' in order) expect(may === 'may').toBe(order.dryRun);
      }),
      RUNS,
    );
  });
});

describe('what is typed', () => {
  test('names a place exactly, or is refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[a-z-]{0,6}-\d{0,12}(@\d{0,20}(-\d{0,20})?)?$/)),
        (text) => {
          const partition = read(() => partitionNamed(text), 'COMMAND_LINE_INVALID');
          if (partition !== undefined) expect(`${partition.topic}-${partition.partition}`).toBe(text);
          const at = read(() => recordNamed(text), 'COMMAND_LINE_INVALID');
          if (at !== undefined) expect(`${at.topic}-${at.partition}@${at.offset}`).toBe(text);
          const span = read(() => spanNamed(text), 'COMMAND_LINE_INVALID');
          if (span !== undefined) expect(span.fromOffset <= span.toOffset).toBe(true);
        },
      ),
      RUNS,
    );
  });

  test('or told by anybody is shown without a character that a terminal acts on', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
      }),
      RUNS,
    );
  });
});

describe('what grows tenfold takes no more than some thirtyfold', () => {
  /** Milliseconds of this thread, of the fastest of three runs. */
  const msOf = (run: () => void) =>
    Math.min(
      ...Array.from({ length: 3 }, () => {
        const start = process.threadCpuUsage();
        run();
        const { user, system } = process.threadCpuUsage(start);
        return (user + system) / 1_000;
      }),
    );
  const quietly = (call: () => unknown) => () => {
    try {
      call();
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
    }
  };
  const many = (size: number, name: (index: number) => string): RecordHeader[] =>
    Array.from({ length: size }, (_, index) => ({ name: name(index), value: Buffer.from('1') }));
  const letterWith = (headers: RecordHeader[]) => ({
    partition: 0,
    offset: 1,
    key: null,
    value: null,
    headers,
    timestamp: 1,
  });
  const deep = (size: number) => `${'{"a":'.repeat(size)}1${'}'.repeat(size)}`;

  test.each<[string, (size: number) => () => void, number]>([
    [
      'headers of a letter, all of one name of ours',
      (n) => quietly(() => readLetterTopic(letterWith(many(n, () => 'x-original-topic')), OWNER)),
      20_000,
    ],
    [
      'headers of a letter, each of its own name',
      (n) => quietly(() => readLetterTopic(letterWith(many(n, String)), OWNER)),
      20_000,
    ],
    [
      'ranges of a marker',
      (n) =>
        quietly(() =>
          readLetterTopic(
            {
              ...markerRecord(
                {
                  what: 'purged',
                  offsets: Array.from({ length: n }, (_, at) => ({ from: 2 * at, to: 2 * at })),
                  at: 1,
                  by: 'a',
                },
                OWNER,
                0,
              ),
              partition: 0,
              offset: 9_999_999,
            },
            OWNER,
          ),
        ),
      50_000,
    ],
    [
      'ranges of an entry',
      (n) => {
        const body = encodeFallbackEntry(
          {
            type: 'abandoned',
            partition: { cluster: 'c', group: 'g', topic: 't', partition: 0 },
            offsets: Array.from({ length: n }, (_, at) => ({ from: 2 * at, to: 2 * at })),
          },
          FAKE_SECRET,
        );
        return quietly(() => readRelayEntry(body, FAKE_SECRET));
      },
      50_000,
    ],
    [
      'an offset of an entry',
      (n) =>
        quietly(() =>
          readRelayEntry(
            JSON.stringify({
              requestContext: { condition: 'x' },
              KafkaBatchInfo: { recordsInfo: { 'orders-3': { firstRecordOffset: new Array(n).fill('"') } } },
            }),
            FAKE_SECRET,
          ),
        ),
      200_000,
    ],
    ['quotes in an entry', (n) => quietly(() => readRelayEntry('"\\'.repeat(n), FAKE_SECRET)), 200_000],
    ['depth of an entry', (n) => quietly(() => readRelayEntry(deep(n), FAKE_SECRET)), 2_000],
    [
      'names of a request',
      (n) => {
        const request = Object.fromEntries(Array.from({ length: n }, (_, at) => [`n${at}`, at]));
        return quietly(() => readOperatorRequest({ type: 'topics', ...request }));
      },
      50_000,
    ],
    ['the type of a request', (n) => quietly(() => readOperatorRequest({ type: 'a'.repeat(n) })), 1_000_000],
    [
      'who asks',
      (n) => quietly(() => readOperatorRequest({ type: 'purge', filter: {}, dryRun: true, by: '\u202e'.repeat(n) })),
      1_000_000,
    ],
    [
      'partitions of an event',
      (n) => {
        const records = Object.fromEntries(Array.from({ length: n }, (_, at) => [`orders-${at}`, [{}]]));
        return quietly(() => parseKafkaEvent({ eventSource: 'aws:kafka', eventSourceArn: 'a', records }));
      },
      20_000,
    ],
    ['a text that is shown', (n) => () => void visible('\u001b]52;'.repeat(n)), 100_000],
  ])('%s', (_, make, size) => {
    const [small, large] = [make(size / 10), make(size)];
    msOf(small);
    // A clock that ticks every few milliseconds is no growth: what grows as the square takes a second.
    expect(msOf(large)).toBeLessThan(30 * msOf(small) + 150);
  });
});
