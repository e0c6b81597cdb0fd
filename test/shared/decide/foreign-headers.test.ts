import { expect, test } from 'vitest';
import { isOwnName, keepForeign, restoreForeign } from '../../../shared/decide/foreign-headers.ts';

const header = (name: string, value = '') => ({ name, value: Buffer.from(value) });

test.each([
  'x-original-topic',
  'x-original-partition',
  'x-original-offset',
  'x-original-timestamp',
  'x-original-last-offset',
  'x-consumer-group',
  'x-retry-count',
  'x-interruption-count',
  'x-error-name',
  'x-error-message',
  'x-error-stack',
  'x-error-fingerprint',
  'x-stage',
  'x-disposition',
  'x-first-failed-at',
  'x-dead-lettered-at',
  'x-request-id',
  'x-dead-letter-id',
  'x-redrive-count',
  'x-doubtful',
  'x-parked-sequence',
  'x-parked-ordinal',
  'x-replay-of',
  'x-lockstep-for',
  'x-lockstep-marker',
  'x-lockstep-signature',
  'kafka_dlt-original-topic',
  '__connect.errors.topic',
])('%s is one of our names, or of those that we write for others', (name) => {
  expect(isOwnName(name)).toBe(true);
});

test.each(['traceparent', 'x-original', 'x-lockstep-id', 'my-kafka_dlt-topic', 'a__connect.errors.', ''])(
  '%j is none',
  (name) => {
    expect(isOwnName(name)).toBe(false);
  },
);

test('headers with our names get another one, and get their own back', () => {
  const headers = [header('x-stage', 'a'), header('traceparent', 'b'), header('x-foreign-x-stage', 'c')];

  const kept = keepForeign(headers);

  expect(kept).toEqual({
    headers: [header('x-foreign-x-stage', 'a'), header('traceparent', 'b'), header('x-foreign-x-foreign-x-stage', 'c')],
    areNamesKept: false,
    growth: 20,
  });
  expect(restoreForeign(kept.headers)).toEqual(headers);
});

test('they keep their names where the new ones would add more than 8 KiB', () => {
  // Ten bytes each.
  const many = (count: number) => Array.from({ length: count }, () => header('x-stage'));

  expect(keepForeign(many(819))).toMatchObject({ areNamesKept: false, growth: 8_190 });
  expect(keepForeign(many(820))).toEqual({ headers: many(820), areNamesKept: true, growth: 0 });
  // Eleven bytes each: the length of the longer name takes two bytes, that of the shorter one.
  const longer = header(`x-foreign-${'a'.repeat(45)}`);
  expect(keepForeign([...many(817), longer, longer])).toMatchObject({ areNamesKept: false, growth: 8_192 });
});
