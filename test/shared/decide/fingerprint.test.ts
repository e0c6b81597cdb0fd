import { describe, expect, test } from 'vitest';
import { fingerprint } from '../../../shared/decide/fingerprint.ts';

const of = (text: string) => fingerprint({ name: 'Error', text, stage: 'handler' });

describe('a fingerprint is the same', () => {
  test.each([
    ['numbers', 'order 17 has 3 lines', 'order 18,204 has 12 lines'],
    ['positions', 'value of orders-3@1042 is not JSON', 'value of orders-11@7 is not JSON'],
    ['uuids', 'no 0d0c5ab0-7d5d-4a3a-9f0f-0b9b0a9f8e7d', 'no ffffffff-7D5D-4A3A-9F0F-0B9B0A9F8E7D'],
    ['ids', 'charge pi_3NkX2eZvKYlo2C declined', 'charge pi_1AbC9dEfGhIj3K declined'],
    ['hex', 'block 0xdeadbeef of 9f86d081884c7d65', 'block 0x1 of 60303ae22b998861'],
    ['hex without a digit between letters', 'block deadbeefab7 is gone', 'block 12cafebabe is gone'],
    ['short ids', 'charge 1a2b34', 'charge 9z8y76'],
    ['quoted values', 'expected "a \\"b\\"", got `c`', 'expected "", got `dd e`'],
    ['values in backticks that were cut', 'unexpected `abc', 'unexpected `abcdefg'],
    ['values in single quotes', "no such 'a' or 'b c'", "no such 'x y' or 'z'"],
    ['quoted values of several lines', 'no "a\\\nb" for x', 'no "c\\\nd" for x'],
    ['a quoted value that was cut', 'unexpected "abc', 'unexpected "abcdefg'],
    ['a quoted value that was cut behind a backslash', 'unexpected "abc\\', 'unexpected "abcdefg'],
    ['e-mail addresses', 'no mailbox jo.doe+x@example.com', 'no mailbox a@b.co.uk'],
    ['times', 'expired at 2026-11-21T09:00:00.123Z', 'expired at 2025-01-01 00:00:00+02:00'],
    ['line ends and spaces', 'a\n  b', 'a b'],
    ['spaces at both ends', ' a ', 'a'],
    ['the end of a long text', `${'word '.repeat(60)}a`, `${'word '.repeat(60)}b and c`],
  ])('whatever the %s', (_, one, other) => {
    expect(of(one)).toBe(of(other));
  });

  test.each([
    '2025-01-01',
    '2025-01-01T00:00',
    '2025-01-01 00:00:00',
    '2025-01-01T00:00:00Z',
    '2025-01-01T00:00:00+0200',
  ])('however exactly a time is told: %s', (time) => {
    expect(of(`expired at ${time}`)).toBe(of('expired at 2026-11-21T09:00:00.123+01:00'));
  });
});

describe('a fingerprint differs', () => {
  test.each([
    ['words', 'order not found', 'order not paid'],
    ['names that hold a number', 'S3 is down', 'EC2 is down'],
    ['names that end in a number', 'orders1 is full', 'payments1 is full'],
    ['words that could be hex', 'feedface is down', 'deadbeef is down'],
    ['presence of a number', 'order 17 lost', 'order lost'],
    ['spaces between words', 'no one pays', 'noone pays'],
    ['what stands between apostrophes of words', "can't find what isn't paid", "can't find what wasn't paid"],
  ])('with the %s', (_, one, other) => {
    expect(of(one)).not.toBe(of(other));
  });

  test('with the stage and with the name', () => {
    const all = [
      fingerprint({ name: 'Error', text: 'x', stage: 'handler' }),
      fingerprint({ name: 'TypeError', text: 'x', stage: 'handler' }),
      fingerprint({ name: 'Error', text: 'x', stage: 'decode' }),
    ];

    expect(new Set(all).size).toBe(3);
  });

  test('has twelve characters that a command line takes', () => {
    expect(of('anything')).toMatch(/^[0-9a-f]{12}$/);
  });
});
