import { describe, expect, test } from 'vitest';
import { originHeaders, textHeader } from '../../../shared/decide/letter-headers.ts';
import { claimsToBeReturned, readReturned, returningHeaders } from '../../../shared/decide/returned-record.ts';
import { signedHeaders } from '../../../shared/decide/signature.ts';
import { FAKE_SECRET } from '../../../shared/testing/fake-stack-secret.ts';

const PLACE = { topic: 'orders', partition: 3 };
const ORIGIN = { topic: 'orders', partition: 3, offset: 1_042, timestamp: 500 };
const BYTES = { key: Buffer.from('customer-7'), value: Buffer.from('{}') };
const OWN = [textHeader('traceparent', '00-ab')];

const headers = returningHeaders(FAKE_SECRET, {
  ...BYTES,
  to: PLACE,
  headers: OWN,
  origin: ORIGIN,
  group: 'billing',
  redriveCount: 2,
  from: textHeader('x-dead-letter-id', 'c/billing/orders-3@1042/500'),
});

describe('a record that is written back to its source', () => {
  test('has its own headers, then ours', () => {
    expect(headers.map(({ name, value }) => [name, value.toString()])).toEqual([
      ['traceparent', '00-ab'],
      ['x-original-topic', 'orders'],
      ['x-original-partition', '3'],
      ['x-original-offset', '1042'],
      ['x-original-timestamp', '500'],
      ['x-lockstep-for', 'billing'],
      ['x-dead-letter-id', 'c/billing/orders-3@1042/500'],
      ['x-redrive-count', '2'],
      ['x-lockstep-signature', expect.stringMatching(/^[\w-]{43}$/)],
    ]);
  });

  test('is read back', () => {
    expect(readReturned(FAKE_SECRET, { ...PLACE, ...BYTES, headers })).toEqual({
      origin: ORIGIN,
      group: 'billing',
      redriveCount: 2,
      own: OWN,
    });
  });

  test('is nobody’s where it was changed, or lies elsewhere', () => {
    const record = { ...PLACE, ...BYTES, headers };

    expect(readReturned(FAKE_SECRET, { ...record, value: Buffer.from('{"a":1}') })).toBeUndefined();
    expect(readReturned(FAKE_SECRET, { ...record, partition: 4 })).toBeUndefined();
    expect(readReturned(FAKE_SECRET, { ...record, headers: headers.slice(0, -1) })).toBeUndefined();
  });

  test('is nobody’s without an origin, though it is signed', () => {
    const bare = { ...BYTES, headers: [textHeader('x-lockstep-for', 'billing')] };
    const signed = signedHeaders(FAKE_SECRET, 'returned', 'orders-3', bare);

    expect(readReturned(FAKE_SECRET, { ...PLACE, ...BYTES, headers: signed })).toBeUndefined();
    expect(
      readReturned(FAKE_SECRET, {
        ...PLACE,
        ...BYTES,
        headers: signedHeaders(FAKE_SECRET, 'returned', 'orders-3', { ...BYTES, headers: originHeaders(ORIGIN) }),
      }),
    ).toMatchObject({ origin: ORIGIN });
  });
});

test.each([
  ['x-lockstep-signature', true],
  ['x-redrive-count', false],
  [undefined, false],
])('a record whose last header is %s claims to be one: %s', (name, claims) => {
  expect(claimsToBeReturned(name)).toBe(claims);
});
