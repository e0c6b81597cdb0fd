import { expect, test } from 'vitest';
import { isSigned, type SignedRecord, signedHeaders, textSignature } from '../../../shared/decide/signature.ts';

const SECRET = Buffer.alloc(32, 7);
const RECORD: SignedRecord = {
  key: Buffer.from('customer-7'),
  value: Buffer.from('{"orderId":"a"}'),
  headers: [
    { name: 'traceparent', value: Buffer.from('00-ab') },
    { name: 'x-consumer-group', value: Buffer.from('billing') },
  ],
};

const signatureOf = (place: string, record: SignedRecord) =>
  signedHeaders(SECRET, 'letter', place, record).at(-1)?.value.toString();

/** The record with a signature as its last header. */
const withSignature = (value: string, name = 'x-lockstep-signature'): SignedRecord => ({
  ...RECORD,
  headers: [...RECORD.headers, { name, value: Buffer.from(value) }],
});

// Made with Python's hmac. Signed records lie on topics for as long as those keep them.
test('a record that an earlier version signed is still signed', () => {
  const signature = 'gis9gC5UjGfBL9Xq8oxdC_KYdl-qP6bU7WpmIsVSrkY';

  expect(signatureOf('billing', RECORD)).toBe(signature);
  expect(isSigned(SECRET, 'letter', 'billing', withSignature(signature))).toBe(true);
  expect(
    signedHeaders(SECRET, 'marker', 'orders-dead-letters-1', {
      key: null,
      value: null,
      headers: [],
    })[0]?.value.toString(),
  ).toBe('VqcL-bEzEJsoZkH8IxDFuQuD3w3ZWX1lZ56R_IbsLUc');
  expect(textSignature(SECRET, '{"v":1}')).toBe('30lLGUwQlz1tK3Lhf3EpJ39L25Y93PQ5YW-7Ec1_ApM');
});

test('a record is not signed without the signature as its last header', () => {
  const signature = 'gis9gC5UjGfBL9Xq8oxdC_KYdl-qP6bU7WpmIsVSrkY';

  expect(isSigned(SECRET, 'letter', 'billing', { ...RECORD, headers: [] })).toBe(false);
  expect(isSigned(SECRET, 'letter', 'billing', withSignature(signature, 'x-signature'))).toBe(false);
  expect(isSigned(SECRET, 'letter', 'billing', withSignature(signature.slice(1)))).toBe(false);
  expect(isSigned(SECRET, 'letter', 'billing', withSignature(''))).toBe(false);
});

const moved = (key: string, value: string, first: string, second: string): SignedRecord => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
  headers: [
    { name: 'a', value: Buffer.from(first) },
    { name: 'b', value: Buffer.from(second) },
  ],
});

test.each([
  ['from the key to the value', moved('a', 'bc', 'd', 'e')],
  ['from the value to a header', moved('ab', '', 'cd', 'e')],
  ['from a header to the next', moved('ab', 'c', '', 'de')],
])('no two records have one signature, though a byte only moved %s', (_, record) => {
  expect(signatureOf('billing', record)).not.toBe(signatureOf('billing', moved('ab', 'c', 'd', 'e')));
});
