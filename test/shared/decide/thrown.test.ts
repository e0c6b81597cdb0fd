import { describe, expect, test } from 'vitest';
import { causeChain, classNameOf, readThrown } from '../../../shared/decide/thrown.ts';
import { LockstepError, QuotingCause } from '../../../shared/errors.ts';

class OrderRejected extends Error {}

function refuse(): string {
  throw new TypeError('no text');
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
}

describe('what was thrown, as it is read', () => {
  test.each<[string, unknown, string, string]>([
    ['nothing', undefined, 'undefined', ''],
    ['null', null, 'null', ''],
    ['text', 'out of stock', 'string', 'out of stock'],
    ['a function', function refuse() {}, 'function', 'function refuse() {}'],
    ['a function that does not say what it is', Object.assign(() => {}, { toString: refuse }), 'function', ''],
    ['errors that throw when they are read', { errors: revoked(), name: 'Odd', message: 'both' }, 'Odd', 'both'],
    ['a big number', 7n, 'bigint', '7'],
    ['false', false, 'boolean', 'false'],
    ['an object', { code: 7 }, 'Object', '{"code":7}'],
    ['an object that JSON leaves out', { toJSON: () => undefined }, 'Object', ''],
    ['an object that is no JSON', { amount: 7n }, 'Object', ''],
    ['a name without a class', Object.assign(Object.create(null), { name: 'Odd' }), 'Odd', '{"name":"Odd"}'],
    ['a constructor that is no class', { constructor: { name: 'Odd' } }, 'Error', '{"constructor":{"name":"Odd"}}'],
    [
      'a class whose name is no text',
      { constructor: Object.assign(() => {}, { x: 1 }), name: '' },
      'Error',
      '{"name":""}',
    ],
  ])('of %s has a name and a text, and nothing else', (_, thrown, name, text) => {
    expect(readThrown(thrown, true)).toEqual({
      value: thrown,
      name,
      text,
      stack: undefined,
      cause: undefined,
      errors: [],
    });
  });

  test.each<[string, unknown, string]>([
    ['an object', { name: 'alice', message: 'Bearer abc', token: 'abc' }, 'Object'],
    [
      'an object of a class',
      new (class Refusal {
        readonly token = 'abc';
      })(),
      'Refusal',
    ],
    ['an object without a prototype', Object.assign(Object.create(null), { name: 'alice' }), 'Error'],
    ['an array', ['alice'], 'Array'],
  ])('of %s tells nothing that is in it, unless it may quote', (_, thrown, name) => {
    expect(readThrown(thrown)).toMatchObject({
      name,
      text: 'an object that is not an Error was thrown; the option `redact` shows what is in it',
    });
  });

  test('of an error whose cause may quote a value leaves that out, unless it may quote', () => {
    const quoting = new QuotingCause('secret', { cause: new SyntaxError('secret too') });
    const error = new LockstepError('KAFKA_VALUE_INVALID', 'odd', { cause: quoting });

    expect(causeChain(error).map(({ name }) => name)).toEqual(['KAFKA_VALUE_INVALID']);
    expect(causeChain(error, true).map(({ name }) => name)).toEqual([
      'KAFKA_VALUE_INVALID',
      'QuotingCause',
      'SyntaxError',
    ]);
  });

  test('of a large object is quoted in part, without its name or size making the text long', () => {
    const large = {
      text: 'x'.repeat(10_001),
      nothing: null,
      list: Array.from({ length: 101 }, () => 7),
      ['n'.repeat(1_001)]: 1,
      members: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`m${index}`, 1])),
    };

    const quoted = JSON.parse(readThrown(large, true).text);

    expect(quoted).toEqual({
      text: 'x'.repeat(10_000),
      nothing: null,
      list: Array.from({ length: 100 }, () => 7),
      ['n'.repeat(1_000)]: 1,
      members: expect.objectContaining({ m0: 1, m99: 1 }),
    });
    expect(Object.keys(quoted.members)).toHaveLength(100);
  });

  test('of a very long name or stack is read only as far as it is used', () => {
    const thrown = Object.assign(new Error('no'), { name: 'n'.repeat(300_000), stack: 's'.repeat(300_000) });

    expect(readThrown(thrown).name).toHaveLength(262_144);
    expect(readThrown(thrown).stack).toHaveLength(262_144);
  });

  test('of a very long text is read only as far as it is used', () => {
    expect(readThrown(new Error('x'.repeat(1_000_000))).text).toHaveLength(262_144);
    expect(readThrown('x'.repeat(1_000_000)).text).toHaveLength(262_144);
  });

  test('of an error has its stack, its cause and its errors', () => {
    const cause = new TypeError('fetch failed');
    const thrown = Object.assign(new AggregateError(['a', 'b'], 'both failed', { cause }), { stack: 'at charge' });

    expect(readThrown(thrown)).toEqual({
      value: thrown,
      name: 'AggregateError',
      text: 'both failed',
      stack: 'at charge',
      cause,
      errors: ['a', 'b'],
    });
  });

  test.each<[string, Error, string]>([
    [
      'its own name before its class',
      Object.assign(new OrderRejected('no'), { name: 'ORDER_UNKNOWN' }),
      'ORDER_UNKNOWN',
    ],
    ['its class where it has no name of its own', new OrderRejected('no'), 'OrderRejected'],
    ['its class where its name is empty', Object.assign(new RangeError('no'), { name: '' }), 'RangeError'],
    ['its class where its name is no text', Object.assign(new RangeError('no'), { name: 7 }), 'RangeError'],
    ['what every error is where nothing says more', new Error('no'), 'Error'],
    ['what every error is where its class has no name', new (class extends Error {})('no'), 'Error'],
  ])('of an error is named by %s', (_, thrown, name) => {
    expect(readThrown(thrown).name).toBe(name);
  });

  test('leaves out a stack that is no text and errors that are no list', () => {
    const thrown = Object.assign(new Error('no'), { stack: 7, errors: 'all' });

    expect(readThrown(thrown)).toMatchObject({ stack: undefined, errors: [] });
  });

  test('survives properties that throw, and keeps the others', () => {
    const thrown = Object.defineProperty(new RangeError('no such thing'), 'cause', {
      get() {
        throw new Error('not even this');
      },
    });

    expect(readThrown(thrown)).toMatchObject({ name: 'RangeError', text: 'no such thing', cause: undefined });
  });
});

test.each([
  ['null', null, 'null'],
  ['nothing', undefined, 'undefined'],
  ['text', 'secret', 'string'],
  ['an error of a class', new OrderRejected('secret'), 'OrderRejected'],
  ['an error that names itself', Object.assign(new TypeError('no'), { name: 'secret' }), 'TypeError'],
  ['an object', { name: 'secret' }, 'Object'],
  ['a function', refuse, 'Function'],
])('the class or type of %s says nothing of its content', (_, thrown, name) => {
  expect(classNameOf(thrown)).toBe(name);
});
