import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMarks, encodeMarks } from '../../../shared/adapters/ledger-marks.ts';

test('takes twelve bytes for a mark of a batch of 100, eight seconds after the one before', () => {
  const first = { offset: 1_042, timestamp: 1_795_251_600_000, valueHash: '47DEQpj8HBS' };
  const second = { offset: 1_142, timestamp: 1_795_251_608_000, valueHash: 'q1-_Zz09aBc' };

  expect(encodeMarks([first, second]).length - encodeMarks([first]).length).toBe(12);
  expect(decodeMarks(encodeMarks([first, second]))).toEqual([first, second]);
});

test('gives marks back in the order of their offsets', () => {
  const late = { offset: 20, timestamp: 5, valueHash: 'AAAA' };
  const early = { offset: 10, timestamp: 9, valueHash: 'BBBB' };

  expect(decodeMarks(encodeMarks([late, early]))).toEqual([early, late]);
});

test('keeps hashes of different lengths apart, as a version with longer ones will write them', () => {
  const marks = [
    { offset: 1, timestamp: 1, valueHash: '' },
    { offset: 2, timestamp: 2, valueHash: 'a' },
    { offset: 3, timestamp: 3, valueHash: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' },
  ];

  expect(decodeMarks(encodeMarks(marks))).toEqual(marks);
});

test('keeps a hash of any one length', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\w-]{0,300}$/), (valueHash) => {
      const marks = [{ offset: 7, timestamp: 1_795_251_600_000, valueHash }];

      expect(decodeMarks(encodeMarks(marks))).toEqual(marks);
    }),
  );
});

test('refuses a hash that is not base64url', () => {
  expect(() => encodeMarks([{ offset: 1, timestamp: 1, valueHash: 'a+b/' }])).toThrow(
    'expected the hash of a value as base64url, got "a+b/"',
  );
});
