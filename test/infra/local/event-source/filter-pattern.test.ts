import { describe, expect, test } from 'vitest';
import { recordFilter } from '../../../../infra/local/event-source/filter-pattern.ts';

function passes(pattern: unknown, value: unknown): boolean {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return recordFilter([JSON.stringify(pattern)])(Buffer.from(text));
}

describe('operators on JSON values', () => {
  const order = { status: 'PAID', total: 12.5, note: '', gone: null, tags: ['new', 'gift'], buyer: { city: 'Bonn' } };

  test.each([
    ['equals', { status: ['PAID'] }, true],
    ['equals, another', { status: ['OPEN'] }, false],
    ['equals, one of several', { status: ['OPEN', 'PAID'] }, true],
    ['equals is not lenient about types', { total: ['12.5'] }, false],
    ['empty', { note: [''] }, true],
    ['null', { gone: [null] }, true],
    ['null is not absence', { missing: [null] }, false],
    ['and', { status: ['PAID'], total: [12.5] }, true],
    ['and, one fails', { status: ['PAID'], total: [1] }, false],
    ['or over fields', { $or: [{ status: ['OPEN'] }, { total: [{ numeric: ['>', 10] }] }] }, true],
    ['or, none', { $or: [{ status: ['OPEN'] }, { total: [{ numeric: ['>', 20] }] }] }, false],
    ['nested', { buyer: { city: ['Bonn'] } }, true],
    ['nested, another', { buyer: { city: ['Berlin'] } }, false],
    ['nested where there is nothing', { seller: { city: ['Bonn'] } }, false],
    ['anything-but', { status: [{ 'anything-but': ['OPEN', 'LOST'] }] }, true],
    ['anything-but, excluded', { status: [{ 'anything-but': ['PAID'] }] }, false],
    ['anything-but needs the field', { missing: [{ 'anything-but': ['PAID'] }] }, false],
    ['anything-but a prefix', { status: [{ 'anything-but': { prefix: 'PA' } }] }, false],
    ['numeric equals', { total: [{ numeric: ['=', 12.5] }] }, true],
    ['numeric range', { total: [{ numeric: ['>', 10, '<=', 12.5] }] }, true],
    ['numeric range, outside', { total: [{ numeric: ['>', 12.5, '<', 20] }] }, false],
    ['numeric on text', { status: [{ numeric: ['>', 0] }] }, false],
    ['exists', { status: [{ exists: true }] }, true],
    ['exists, but does not', { missing: [{ exists: true }] }, false],
    ['does not exist', { missing: [{ exists: false }] }, true],
    ['does not exist, but does', { status: [{ exists: false }] }, false],
    ['exists on null', { gone: [{ exists: true }] }, true],
    ['does not exist in what is not there', { seller: { city: [{ exists: false }] } }, true],
    ['prefix', { status: [{ prefix: 'PA' }] }, true],
    ['prefix, not at the start', { status: [{ prefix: 'AID' }] }, false],
    ['prefix, any case', { status: [{ prefix: { 'equals-ignore-case': 'pa' } }] }, true],
    ['suffix', { status: [{ suffix: 'ID' }] }, true],
    ['suffix, not at the end', { status: [{ suffix: 'PA' }] }, false],
    ['equals, any case', { status: [{ 'equals-ignore-case': 'paid' }] }, true],
    ['wildcard', { status: [{ wildcard: 'P*D' }] }, true],
    ['wildcard, another', { status: [{ wildcard: 'P*X' }] }, false],
    ['one element of a list', { tags: ['gift'] }, true],
    ['no element of a list', { tags: ['old'] }, false],
  ])('%s', (_, value, expected) => {
    expect(passes({ value }, order)).toBe(expected);
  });
});

describe('formats', () => {
  test('a pattern for text takes text, and no JSON object', () => {
    expect(passes({ value: [{ prefix: 'PAID' }] }, 'PAID by card')).toBe(true);
    expect(passes({ value: [{ prefix: '{' }] }, { status: 'PAID' })).toBe(false);
  });

  test('a pattern for JSON takes no text', () => {
    expect(passes({ value: { status: [{ exists: false }] } }, 'PAID by card')).toBe(false);
  });

  test('a tombstone passes no pattern on the value', () => {
    expect(recordFilter(['{"value":["PAID"]}'])(null)).toBe(false);
    expect(recordFilter(['{"value":{"status":[{"exists":false}]}}'])(null)).toBe(false);
  });

  test('without patterns everything passes, with several one is enough', () => {
    expect(recordFilter([])(null)).toBe(true);
    const either = recordFilter(['{"value":["a"]}', '{"value":["b"]}']);
    expect([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')].map(either)).toEqual([true, true, false]);
  });
});

test.each([
  ['not JSON', 'Expected a filter pattern to be a JSON object'],
  ['{"key":["a"]}', 'Kafka filters act on `value` only'],
  ['{"value":"a"}', 'Expected `value` to be an object or a list'],
  ['{"value":{"status":"PAID"}}', 'Expected `status` to be a list of rules'],
  ['{"value":{"status":[{"startsWith":"P"}]}}', 'Unknown filter rule {"startsWith":"P"}'],
  ['{"value":{"total":[{"numeric":[">"]}]}}', 'Unknown filter rule'],
  ['{"value":{"total":[{"numeric":["<>",1]}]}}', 'Unknown filter rule'],
  ['{"value":{"status":[{"prefix":1}]}}', 'Unknown filter rule'],
  ['{"value":{"$or":["a"]}}', 'Expected `$or` to list objects'],
])('an invalid pattern is refused: %s', (pattern, text) => {
  expect(() => recordFilter([pattern])).toThrow(text);
});
