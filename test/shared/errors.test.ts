import { describe, expect, test } from 'vitest';
import {
  BatchFailure,
  type ConsumerErrorCode,
  ERRORS,
  isBranded,
  LockstepError,
  NonRetryableError,
  PauseError,
} from '../../shared/errors.ts';
import { OPERATOR_ERRORS, type OperatorErrorCode } from '../../shared/operator-error-table.ts';
import { OperatorError } from '../../shared/operator-errors.ts';

const WHAT = 'value of orders-3@1042 is odd';
const ALL = [
  ...(Object.keys(ERRORS) as ConsumerErrorCode[]).map((code) => ({
    code,
    kind: ERRORS[code],
    error: new LockstepError(code, WHAT, { cause: 'odd' }),
  })),
  ...(Object.keys(OPERATOR_ERRORS) as OperatorErrorCode[]).map((code) => ({
    code,
    kind: OPERATOR_ERRORS[code],
    error: new OperatorError(code, WHAT, { cause: 'odd' }),
  })),
];

test('a code is in one table', () => {
  expect(ALL.map(({ code }) => code)).toHaveLength(new Set(ALL.map(({ code }) => code)).size);
});

describe.each(ALL)('$code', ({ code, kind, error }) => {
  test('reads as code, what and where, what to do', () => {
    expect(error).toBeInstanceOf(LockstepError);
    expect(error.message).toBe(`${code}: value of orders-3@1042 is odd. ${kind.hint}`);
    expect([error.name, error.code, error.cause]).toEqual([code, code, 'odd']);
    expect(error.retryable).toBe(kind.retryable);
  });

  test('has a hint of whole sentences that says what to do', () => {
    expect(kind.hint).toMatch(/^[A-Z`].{20,}\.$/);
  });

  test('is written in capitals, as alarms and searches know it', () => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)+$/);
  });
});

test.each([
  [
    new NonRetryableError('no rate', { code: 'ORDER_UNKNOWN_CURRENCY', cause: 'XXX' }),
    'ORDER_UNKNOWN_CURRENCY',
    'no rate',
  ],
  [
    new NonRetryableError(undefined, { code: 'ORDER_UNKNOWN_CURRENCY' }),
    'ORDER_UNKNOWN_CURRENCY',
    'ORDER_UNKNOWN_CURRENCY',
  ],
  [new NonRetryableError('no rate'), 'NonRetryableError', 'no rate'],
])('a NonRetryableError is named by its code: %s', (error, name, message) => {
  expect([error.name, error.message]).toEqual([name, message]);
});

test.each([
  ['a LockstepError', new LockstepError('PARTITION_FAILED', 'odd'), 'LockstepError'],
  ['a NonRetryableError', new NonRetryableError('no'), 'NonRetryableError'],
  ['a PauseError', new PauseError({ resumeAfterMs: 1 }), 'PauseError'],
  ['a BatchFailure', new BatchFailure({ offset: 1 }), 'BatchFailure'],
  ['an error of a class of the user’s own', new (class extends NonRetryableError {})('no'), 'NonRetryableError'],
] as const)('%s is known by its brand, and by no other', (_, error, name) => {
  const names = ['LockstepError', 'NonRetryableError', 'PauseError', 'BatchFailure'] as const;

  expect(names.filter((one) => isBranded(error, one))).toEqual([name]);
});

test('what only looks like one of our errors is none', () => {
  expect(isBranded(Object.assign(new Error('no'), { name: 'PauseError', resumeAfterMs: 1 }), 'PauseError')).toBe(false);
});

test('a BatchFailure names the offset that failed', () => {
  expect(new BatchFailure({ offset: 42 }, { cause: 'no' }).message).toBe('record at offset 42 failed');
});
