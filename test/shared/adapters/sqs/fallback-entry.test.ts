import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeFallbackEntry,
  encodeFallbackEntry,
  parseFallbackEntry,
} from '../../../../shared/adapters/sqs/fallback-entry.ts';
import type { FallbackEntry } from '../../../../shared/ports/fallback-queue.ts';
import { FAKE_SECRET } from '../../../../shared/testing/fake-stack-secret.ts';

const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));
const offset = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const position = fc.record({ topic: fc.string(), partition: fc.nat(), offset });
const letter: fc.Arbitrary<FallbackEntry> = fc.record({
  type: fc.constant('letter' as const),
  letter: fc.record({
    id: fc.string({ unit: 'binary' }),
    origin: position,
    key: fc.option(bytes),
    value: fc.option(bytes),
    // Few names, so that many stand twice, some of them names that objects treat differently.
    headers: fc.array(
      fc.record({
        name: fc.oneof(fc.constantFrom('a', '7', '__proto__', ''), fc.string({ unit: 'binary' })),
        value: bytes,
      }),
    ),
    timestamp: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  }),
});
const abandoned: fc.Arbitrary<FallbackEntry> = fc.record({
  type: fc.constant('abandoned' as const),
  partition: fc.record({ cluster: fc.string(), group: fc.string(), topic: fc.string(), partition: fc.nat() }),
  offsets: fc
    .uniqueArray(fc.nat({ max: 1_000_000 }), { minLength: 2, maxLength: 20 })
    .map((ends) => ends.sort((a, b) => a - b))
    .map((ends) =>
      ends.flatMap((from, index) => {
        const to = ends[index + 1];
        return index % 2 === 0 && to !== undefined && to > from + 1 ? [{ from, to: Math.max(from, to - 2) }] : [];
      }),
    ),
});

/** What is signed of an entry. */
function withoutSignature(text: string): string {
  return text.replace(/,"signature":"[\w-]{43}"}$/, '}');
}

describe('an entry of the fallback queue', () => {
  test('comes back as it went, whatever bytes the record has', () => {
    fc.assert(
      fc.property(fc.oneof(letter, abandoned), (entry) => {
        expect(decodeFallbackEntry(encodeFallbackEntry(entry, FAKE_SECRET), FAKE_SECRET)).toEqual(entry);
      }),
      { numRuns: 500 },
    );
  });

  test('is plain ASCII, which SQS takes whatever it is', () => {
    fc.assert(
      fc.property(letter, (entry) => {
        expect(encodeFallbackEntry(entry, FAKE_SECRET)).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });

  test('is written so that later versions can read it', () => {
    const entry: FallbackEntry = {
      type: 'letter',
      letter: {
        id: 'c/g/orders-3@1042/17',
        origin: { topic: 'orders', partition: 3, offset: 1_042 },
        key: null,
        value: Buffer.from([0xff, 0x00]),
        headers: [
          { name: 'é', value: Buffer.from('b') },
          { name: 'a', value: Buffer.alloc(0) },
        ],
        timestamp: 17,
      },
    };
    const text =
      '{"v":1,"type":"letter","letter":{"id":"c/g/orders-3@1042/17","origin":{"topic":"orders","partition":3,"offset":1042},"key":null,"value":"/wA=","headers":[["\\u00e9","Yg=="],["a",""]],"timestamp":17}}';

    expect(withoutSignature(encodeFallbackEntry(entry, FAKE_SECRET))).toBe(text);
    expect(parseFallbackEntry(text)).toEqual(entry);
    const lost: FallbackEntry = {
      type: 'abandoned',
      partition: { cluster: 'c', group: 'g', topic: 'orders', partition: 3 },
      offsets: [
        { from: 1_042, to: 1_141 },
        { from: 1_143, to: 1_143 },
      ],
    };
    const lostText =
      '{"v":1,"type":"abandoned","partition":{"cluster":"c","group":"g","topic":"orders","partition":3},"offsets":"sy+2r,2"}';
    expect(withoutSignature(encodeFallbackEntry(lost, FAKE_SECRET))).toBe(lostText);
    expect(parseFallbackEntry(lostText)).toEqual(lost);
  });

  test('is taken with its own signature only, and changed by no character', () => {
    fc.assert(
      fc.property(fc.oneof(letter, abandoned), fc.nat(), fc.constantFrom('0', 'A', '"', ' '), (entry, at, unit) => {
        const text = encodeFallbackEntry(entry, FAKE_SECRET);
        const place = at % text.length;
        fc.pre(text[place] !== unit);
        const changed = `${text.slice(0, place)}${unit}${text.slice(place + 1)}`;
        for (const forged of [changed, withoutSignature(text), `${text} `, text.slice(0, -1), ''])
          expect(() => decodeFallbackEntry(forged, FAKE_SECRET)).toThrow('its signature is not that of this stack');
        expect(() => decodeFallbackEntry(text, Buffer.alloc(32))).toThrow(TypeError);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['no JSON', 'hello', SyntaxError],
    ['another version', '{"v":2,"type":"letter","letter":{}}', /expected `v` to be 1, got 2/],
    ['another type', '{"v":1,"type":"x"}', /expected `type` to be letter or abandoned, got x/],
    ['a letter without an id', '{"v":1,"type":"letter","letter":{"headers":[]}}', /expected `id` to be a text/],
    [
      'a header of three',
      '{"v":1,"type":"letter","letter":{"id":"","origin":{"topic":"","partition":0,"offset":0},"key":null,"value":null,"headers":["abc"],"timestamp":0}}',
      /expected a header to be two texts/,
    ],
    [
      'offsets of another kind',
      '{"v":1,"type":"abandoned","partition":{"cluster":"c","group":"g","topic":"t","partition":0},"offsets":"§"}',
      SyntaxError,
    ],
    ['an array', '[]', /expected the entry to be an object/],
  ])('is refused if it is %s', (_, text, error) => {
    expect(() => parseFallbackEntry(text)).toThrow(error);
  });
});
