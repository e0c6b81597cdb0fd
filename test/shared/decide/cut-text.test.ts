import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutText } from '../../../shared/decide/cut-text.ts';

test.each([
  ['abc', 3, 'abc'],
  ['abc', 2, 'ab'],
  ['abc', 0, ''],
  ['abc', -1, ''],
  ['abc', 1.9, 'a'],
  ['Zoë', 4, 'Zoë'],
  ['Zoë', 3, 'Zo'],
  ['a€b', 3, 'a'],
  ['a€b', 4, 'a€'],
  ['😀😀', 7, '😀'],
  ['€€€', 9, '€€€'],
  // Half a character, as a careless cut leaves it.
  ['😀'.slice(0, 1), 9, '\ufffd'],
])('%j in at most %d bytes is %j', (text, maxBytes, cut) => {
  expect(cutText(text, maxBytes)).toBe(cut);
});

/** One to four bytes wide. */
const text = fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀'), maxLength: 20 });

test('keeps as many whole characters as fit', () => {
  fc.assert(
    fc.property(text, fc.nat({ max: 60 }), (text, maxBytes) => {
      const cut = cutText(text, maxBytes);
      const [next = ''] = text.slice(cut.length);

      expect(text.startsWith(cut)).toBe(true);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(maxBytes);
      expect(cut === text || Buffer.byteLength(cut + next) > maxBytes).toBe(true);
    }),
  );
});
