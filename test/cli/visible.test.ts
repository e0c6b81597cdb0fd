import fc from 'fast-check';
import { expect, test } from 'vitest';
import { visible, visibleData, visibleJson } from '../../cli/visible.ts';

/** Text with whatever a terminal acts on, more of it than chance would give. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\u001b]52;c;cm0gLXJmIH4K\u0007',
        '\u009b2J',
        '\r\n',
        '\u2028',
        '\u2029',
        '\u0085',
        '\u202e',
        '\u2066',
        '\u200b',
        '\ufeff',
        '\u00ad',
        '\u{e0041}',
        '\u3164',
        '\u00a0',
        '\ufe0f',
        '\ud800',
        '\u007f',
      ),
    ),
  )
  .map((parts) => parts.join(''));

const ACTS = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

test('nothing of a text reaches a terminal that acts on it, hides, or ends the line', () => {
  fc.assert(fc.property(hostile, (text) => !ACTS.test(visible(text)) && !/[^\P{Zs} ]/u.test(visible(text))));
});

test('JSON for scripts shows nothing raw either, and is what there was', () => {
  fc.assert(
    fc.property(hostile, hostile, (name, text) => {
      const json = visibleJson({ [name]: [text] });
      expect(ACTS.test(json)).toBe(false);
      expect(Object.entries(JSON.parse(json))).toEqual([[name, [text]]]);
    }),
  );
});

test.each([
  ['window title', '\u001b]0;owned\u0007', '\\u001b]0;owned\\u0007'],
  ['C1', '\u009b31m', '\\u009b31m'],
  ['a forged row', 'k\r\norders-0@8  fine', 'k\\r\\norders-0@8  fine'],
  ['direction', 'abc\u202egnp', 'abc\\u202egnp'],
  ['zero width', 'a\u200bb\ufeffc', 'a\\u200bb\\ufeffc'],
  ['tags', 'a\u{e0041}', 'a\\u{e0041}'],
  ['marks over other lines', 'a\u0301\u0301\u0301\u0301\u0301', 'a\u0301\u0301\u0301\\u0301\\u0301'],
  ['ordinary', 'Grüße, 株式会社, عربي, 👍 \\n', 'Grüße, 株式会社, عربي, 👍 \\n'],
])('%s', (_, text, shown) => {
  expect(visible(text)).toBe(shown);
});

test('names of fields are shown as texts are, and none of them is a prototype', () => {
  const shown = visibleData(JSON.parse('{"__proto__":{"a\\u001b":"\\u001b"},"n":1,"none":null}'));
  expect(Object.getPrototypeOf(shown)).toBe(Object.prototype);
  expect(JSON.stringify(shown)).toBe('{"__proto__":{"a\\\\u001b":"\\\\u001b"},"n":1,"none":null}');
});
