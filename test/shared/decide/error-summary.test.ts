import { describe, expect, test } from 'vitest';
import { stackOf, summarizeError } from '../../../shared/decide/error-summary.ts';
import { NonRetryableError, QuotingCause } from '../../../shared/errors.ts';

const asIs = (text: string) => text;

class OrderRejected extends Error {}

describe('the summary of what was thrown', () => {
  test.each<[string, unknown, string, string]>([
    ['an error', new RangeError('no such thing'), 'RangeError', 'no such thing'],
    ['an error whose class has no name of its own', new OrderRejected('too late'), 'OrderRejected', 'too late'],
    ['a code', new NonRetryableError('a-7', { code: 'ORDER_UNKNOWN' }), 'ORDER_UNKNOWN', 'a-7'],
    ['text', 'out of stock', 'string', 'out of stock'],
    ['nothing', undefined, 'undefined', ''],
    ['null', null, 'null', ''],
    ['a number', 7, 'number', '7'],
    ['a symbol', Symbol('x'), 'symbol', 'Symbol(x)'],
    ['an object', { code: 7 }, 'Object', '{"code":7}'],
    ['an object without a prototype', Object.create(null), 'Error', '{}'],
    ['a cause that is null', { message: 'a', cause: null }, 'Object', 'a'],
    ['a message that is no text', { message: 7, name: 8 }, 'Object', '{"message":7,"name":8}'],
  ])('of %s', (_, thrown, name, text) => {
    expect(summarizeError(thrown, 'handler', asIs)).toEqual({ name, text, stage: 'handler' });
  });

  test('tells the causes', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:443'), { code: 'ECONNREFUSED' });
    const thrown = new Error('charge failed', { cause: new TypeError('fetch failed', { cause: refused }) });

    expect(summarizeError(thrown, 'handler', asIs).text).toBe(
      'charge failed (caused by TypeError: fetch failed (caused by Error: connect ECONNREFUSED 127.0.0.1:443))',
    );
  });

  test('tells of several errors thrown as one, without a message too', () => {
    const thrown = new AggregateError([new Error('a'), new TypeError('b'), 'c', 'd', 'e']);

    expect(summarizeError(thrown, 'handler', asIs)).toMatchObject({
      name: 'AggregateError',
      text: '[Error: a; TypeError: b; string: c; and 2 more]',
    });
  });

  test('tells several errors behind their message, by name where they have no text, and up to three in full', () => {
    const thrown = new AggregateError([new Error('a'), new RangeError(), 'c'], 'all failed');

    expect(summarizeError(thrown, 'handler', asIs).text).toBe('all failed [Error: a; RangeError; string: c]');
  });

  test('tells a cause without a text by its name, and one of an error without a text alone', () => {
    expect(summarizeError(new Error('a', { cause: new RangeError() }), 'handler', asIs).text).toBe(
      'a (caused by RangeError)',
    );
    expect(summarizeError(new Error('', { cause: new Error('b') }), 'handler', asIs).text).toBe('(caused by Error: b)');
  });

  test('tells five causes', () => {
    const thrown = ['e', 'd', 'c', 'b', 'a', 'top'].reduce((cause, text) => new Error(text, { cause }), new Error('f'));

    expect(summarizeError(thrown, 'handler', asIs).text).toBe(
      'top (caused by Error: a (caused by Error: b (caused by Error: c (caused by Error: d (caused by Error: e)))))',
    );
  });

  test('ends where causes go in a circle', () => {
    const thrown = new Error('a');
    thrown.cause = new Error('b', { cause: thrown });

    expect(summarizeError(thrown, 'handler', asIs).text).toBe('a (caused by Error: b)');
  });

  test('survives an object whose every property throws', () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('no');
        },
      },
    );

    expect(summarizeError(hostile, 'decode', asIs)).toEqual({ name: 'Error', text: '', stage: 'decode' });
    expect(stackOf(hostile, asIs)).toBe('');
  });

  test('is redacted as a whole before it is cut', () => {
    const redact = (text: string) => text.replace(/token=\w+/g, 'token=…');
    const thrown = new Error(`${'x'.repeat(505)} token=${'s'.repeat(100)}`, { cause: new Error('token=inner') });

    const { text } = summarizeError(thrown, 'handler', redact);

    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(512);
    expect(text).toBe(`${'x'.repeat(505)} token=`);
  });

  test('leaves out what could not be redacted', () => {
    const failing = () => {
      throw new Error('bad expression');
    };

    expect(summarizeError(new Error('secret'), 'handler', failing)).toEqual({
      name: 'Error',
      text: '',
      stage: 'handler',
    });
    expect(stackOf(new Error('secret'), failing)).toBe('');
  });

  test('leaves out what a redactor makes of a text, where that is none', () => {
    expect(summarizeError(new Error('secret'), 'handler', () => JSON.parse('7'))).toEqual({
      name: 'Error',
      text: '',
      stage: 'handler',
    });
  });

  test('quotes neither an object that is no error nor what may quote a value, unless there is a redactor', () => {
    const thrown = { name: 'alice', message: 'Bearer abc', stack: 7 };
    const text = 'an object that is not an Error was thrown; the option `redact` shows what is in it';

    expect(summarizeError(thrown, 'handler', undefined)).toEqual({ name: 'Object', text, stage: 'handler' });
    expect(summarizeError(thrown, 'handler', asIs)).toEqual({ name: 'alice', text: 'Bearer abc', stage: 'handler' });
    expect(summarizeError(new QuotingCause('secret'), 'validate', undefined).text).toBe('');
    expect(summarizeError(new QuotingCause('secret'), 'validate', asIs).text).toBe('secret');
  });

  test('is cut before it is redacted where it is absurdly long', () => {
    const lengths: number[] = [];
    const redact = (text: string) => {
      lengths.push(text.length);
      return text;
    };

    summarizeError(new Error('x'.repeat(200_000), { cause: new Error('y'.repeat(200_000)) }), 'handler', redact);

    expect(lengths).toEqual([5, 262_144]);
  });
});

describe('the stack of what was thrown', () => {
  test('has those of its causes behind it, redacted', () => {
    const thrown = new Error('outer secret', { cause: new TypeError('inner secret', { cause: 'why' }) });

    const stack = stackOf(thrown, (text) => text.replaceAll('secret', '…'));

    expect(stack).toMatch(
      /^Error: outer …\n {4}at [\s\S]*\nCaused by: TypeError: inner …\n {4}at [\s\S]*\nCaused by: string: why$/,
    );
  });

  test('leaves out what may quote a value, unless there is a redactor', () => {
    const thrown = new Error('odd', { cause: new QuotingCause('secret') });

    expect(stackOf(thrown, undefined)).toMatch(/^Error: odd\n/);
    expect(stackOf(thrown, undefined)).not.toContain('secret');
    expect(stackOf(thrown, asIs)).toContain('Caused by: QuotingCause: secret\n');
  });

  test('is empty where there is none', () => {
    expect(stackOf('text', asIs)).toBe('');
    expect(stackOf(undefined, asIs)).toBe('');
  });
});
