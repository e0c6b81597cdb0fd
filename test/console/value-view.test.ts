import { expect, test } from 'vitest';
import { valueView } from '../../console/value-view.ts';

test('JSON gets a line for each member, and nothing in it changes', () => {
  const text = '{"id":12345678901234567890,"id":1.0,"a":[],"b":[1, {"c" : "x, {\\" y"}]}';
  expect(valueView(Buffer.from(text))).toEqual({
    form: 'json',
    text: '{\n  "id": 12345678901234567890,\n  "id": 1.0,\n  "a": [],\n  "b": [\n    1,\n    {\n      "c": "x, {\\" y"\n    }\n  ]\n}',
    bytes: 71,
    cut: 0,
  });
});

test.each([
  ['a tombstone', null, { form: 'none', text: '', bytes: 0, cut: 0 }],
  ['text', Buffer.from('<b>not</b> {json'), { form: 'text', text: '<b>not</b> {json', bytes: 16, cut: 0 }],
  [
    'bytes',
    Buffer.from([0xff, 0x41, 0x00]),
    { form: 'hex', text: `00000000  ff 41 00${' '.repeat(39)}  .A.`, bytes: 3, cut: 0 },
  ],
])('%s', (_, value, view) => {
  expect(valueView(value)).toEqual(view);
});

test('of 8 MB the first part is shown, whatever they are', () => {
  const text = valueView(Buffer.alloc(8_000_000, '{"a":'));
  expect([text.form, text.text.length, text.cut]).toEqual(['text', 262_144, 7_737_856]);
  const bytes = valueView(Buffer.alloc(8_000_000, 0xff));
  expect([bytes.form, bytes.cut]).toEqual(['hex', 7_983_616]);
});

test('JSON that is nested too deeply is shown as it came', () => {
  const text = '['.repeat(100_000) + ']'.repeat(100_000);
  expect(valueView(Buffer.from(text))).toMatchObject({ form: 'text', text });
});
