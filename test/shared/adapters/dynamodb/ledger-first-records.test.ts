import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFirstRecords, encodeFirstRecords } from '../../../../shared/adapters/dynamodb/ledger-first-records.ts';

test('takes twelve bytes for a mark of a batch of 100, eight seconds after the one before', () => {
  const first = { offset: 1_042, timestamp: 1_795_251_600_000, valueHash: '47DEQpj8HBS' };
  const second = { offset: 1_142, timestamp: 1_795_251_608_000, valueHash: 'q1-_Zz09aBc' };

  expect(encodeFirstRecords([first, second]).length - encodeFirstRecords([first]).length).toBe(12);
  expect(decodeFirstRecords(encodeFirstRecords([first, second]))).toEqual([first, second]);
});

test('gives first records back in the order of their offsets', () => {
  const late = { offset: 20, timestamp: 5, valueHash: 'AAAA' };
  const early = { offset: 10, timestamp: 9, valueHash: 'BBBB' };

  expect(decodeFirstRecords(encodeFirstRecords([late, early]))).toEqual([early, late]);
});

test('keeps hashes of different lengths apart, as a version with longer ones will write them', () => {
  const firstRecords = [
    { offset: 1, timestamp: 1, valueHash: '' },
    { offset: 2, timestamp: 2, valueHash: 'a' },
    { offset: 3, timestamp: 3, valueHash: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' },
  ];

  expect(decodeFirstRecords(encodeFirstRecords(firstRecords))).toEqual(firstRecords);
});

test('keeps a hash of any one length', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\w-]{0,300}$/), (valueHash) => {
      const firstRecords = [{ offset: 7, timestamp: 1_795_251_600_000, valueHash }];

      expect(decodeFirstRecords(encodeFirstRecords(firstRecords))).toEqual(firstRecords);
    }),
  );
});

test('leaves out a mark whose time it cannot write to the last bit, and keeps its neighbours whole', () => {
  const before = { offset: 1, timestamp: 1_795_251_600_123, valueHash: 'AAAA' };
  const nanoseconds = { offset: 2, timestamp: 1_795_251_615_123 * 1e6, valueHash: 'BBBB' };
  const last = { offset: 3, timestamp: 2 ** 63, valueHash: 'CCCC' };
  const after = { offset: 4, timestamp: 1_795_251_600_124, valueHash: 'DDDD' };

  expect(decodeFirstRecords(encodeFirstRecords([before, nanoseconds, last, after]))).toEqual([before, after]);
});

test('returns any time up to its limits, whatever is before it', () => {
  const time = fc.oneof(fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), fc.constantFrom(-1, 2 ** 51, -(2 ** 51)));
  fc.assert(
    fc.property(fc.array(time, { maxLength: 5 }), (times) => {
      const firstRecords = times.map((timestamp, index) => ({ offset: index, timestamp, valueHash: 'AAAA' }));

      expect(decodeFirstRecords(encodeFirstRecords(firstRecords))).toEqual(firstRecords);
    }),
  );
});

test('refuses a hash that is not base64url', () => {
  expect(() => encodeFirstRecords([{ offset: 1, timestamp: 1, valueHash: 'a+b/' }])).toThrow(
    'expected the hash of a value as base64url, got "a+b/"',
  );
});
