import { describe, expect, test } from 'vitest';
import {
  BatchFailure,
  type ConsumerErrorCode,
  ERRORS,
  LockstepError,
  NonRetryableError,
  PauseError,
} from '../../shared/errors.ts';
import { OPERATOR_ERRORS, OperatorError, type OperatorErrorCode } from '../../shared/operator-errors.ts';

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

test('a NonRetryableError is named by its author', () => {
  const error = new NonRetryableError('ORDER_UNKNOWN_CURRENCY', { cause: 'XXX', detail: 'no rate' });

  expect({ name: error.name, message: error.message, cause: error.cause }).toEqual({
    name: 'ORDER_UNKNOWN_CURRENCY',
    message: 'ORDER_UNKNOWN_CURRENCY: no rate',
    cause: 'XXX',
  });
});

test.each([
  [1_500, 1_500],
  [0, 1],
  [Number.NaN, 1],
  [-5, 1],
])('a PauseError of %d ms pauses %d ms', (given, paused) => {
  expect(new PauseError({ resumeAfterMs: given }).resumeAfterMs).toBe(paused);
});

test('a BatchFailure names the offset that failed', () => {
  expect(new BatchFailure({ offset: 42 }, { cause: 'no' }).message).toBe('record at offset 42 failed');
});
