import { describe, expect, test } from 'vitest';
import {
  BatchFailure,
  ERRORS,
  type ErrorCode,
  LockstepError,
  NonRetryableError,
  PauseError,
} from '../../shared/errors.ts';

const codes = Object.keys(ERRORS) as ErrorCode[];

describe.each(codes)('%s', (code) => {
  test('reads as code, what and where, what to do', () => {
    const error = new LockstepError(code, 'value of orders-3@1042 is odd');

    expect(error.message).toBe(`${code}: value of orders-3@1042 is odd. ${ERRORS[code].hint}`);
    expect(error.name).toBe(code);
    expect(error.retryable).toBe(ERRORS[code].retryable);
  });

  test('has a hint of whole sentences that says what to do', () => {
    expect(ERRORS[code].hint).toMatch(/^[A-Z`].{20,}\.$/);
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
