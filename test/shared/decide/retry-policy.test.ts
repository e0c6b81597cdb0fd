import { describe, expect, test } from 'vitest';
import {
  backOffMs,
  decideFailure,
  decideStart,
  isBreakerOpen,
  letterLimit,
  pausedRecord,
  type RetryPolicy,
  withLetterLimit,
} from '../../../shared/decide/retry-policy.ts';
import { blockedRecordAt, progressOf } from '../../fixtures/progress.ts';

const policy: RetryPolicy = {
  maxAttempts: 5,
  maxInterruptions: 3,
  inlineRetries: 2,
  inlineDelayMs: 100,
  backOffBaseMs: 1_000,
  backOffMaxMs: 300_000,
  maxPauseMs: 3_600_000,
  maxConsecutiveDeadLetters: 100,
};

const failed = (changes: Partial<Parameters<typeof decideFailure>[0]> = {}) => ({
  blocked: blockedRecordAt(42),
  errorClass: 'retryable' as const,
  error: { name: 'Error', text: 'no', stage: 'handler' as const },
  fingerprint: 'f',
  triesHere: 3,
  now: 50_000,
  random: 0.5,
  ...changes,
});

describe('before a try', () => {
  test('a record without a blocked record runs', () => {
    expect(decideStart(undefined, policy, false, 0)).toEqual({ type: 'run' });
  });

  test('a blocked record in back-off waits', () => {
    expect(decideStart(blockedRecordAt(42, { attempts: 1, notBefore: 9_000 }), policy, false, 8_999)).toEqual({
      type: 'backOff',
      until: 9_000,
    });
    expect(decideStart(blockedRecordAt(42, { attempts: 1, notBefore: 9_000 }), policy, false, 9_000)).toEqual({
      type: 'run',
    });
  });

  test('an exhausted record is never tried again, however open the breaker', () => {
    expect(decideStart(blockedRecordAt(42, { exhausted: true }), policy, true, 0)).toEqual({
      type: 'giveUp',
      isExhausted: true,
    });
  });

  test.each([{ attempts: 5 }, { interruptions: 3 }])('a blocked record with %o gets its letter', (tries) => {
    expect(decideStart(blockedRecordAt(42, tries), policy, false, 0)).toEqual({ type: 'giveUp', isExhausted: false });
  });

  test('a blocked record is tried again while the breaker is open', () => {
    expect(decideStart(blockedRecordAt(42, { attempts: 5, notBefore: 10 }), policy, true, 10)).toEqual({ type: 'run' });
  });
});

describe('after a failed try', () => {
  test('a quick try follows, without back-off', () => {
    const { blocked, next } = decideFailure(failed({ triesHere: 2 }), policy, false);

    expect(next).toBe('retryInline');
    expect(blocked).toMatchObject({ attempts: 1, firstFailedAt: 50_000, fingerprint: 'f' });
    expect(blocked.notBefore).toBeUndefined();
  });

  test('after the quick tries it waits across invocations, with jitter', () => {
    const { blocked, next } = decideFailure(failed({ blocked: blockedRecordAt(42, { attempts: 2 }) }), policy, false);

    expect(next).toBe('retryLater');
    expect(blocked.attempts).toBe(3);
    expect(blocked.notBefore).toBe(54_000);
  });

  test('the fifth attempt is the last', () => {
    expect(
      decideFailure(failed({ blocked: blockedRecordAt(42, { attempts: 4 }), triesHere: 1 }), policy, false).next,
    ).toBe('giveUp');
  });

  test('a non-retryable error is given up at once', () => {
    expect(decideFailure(failed({ errorClass: 'nonRetryable', triesHere: 1 }), policy, false).next).toBe('giveUp');
  });

  test('with infinite attempts it is never given up', () => {
    const stubborn = { ...policy, maxAttempts: Number.POSITIVE_INFINITY };

    expect(decideFailure(failed({ blocked: blockedRecordAt(42, { attempts: 999 }) }), stubborn, false).next).toBe(
      'retryLater',
    );
  });

  test('an open breaker blocks what is exhausted, at the longest back-off, and counts no further attempt', () => {
    const { blocked, next } = decideFailure(failed({ blocked: blockedRecordAt(42, { attempts: 5 }) }), policy, true);

    expect(next).toBe('blocked');
    expect(blocked).toMatchObject({ attempts: 5, notBefore: 350_000 });
  });

  test('the first failure stays the first', () => {
    expect(
      decideFailure(failed({ blocked: blockedRecordAt(42, { attempts: 1, firstFailedAt: 7 }) }), policy, false).blocked
        .firstFailedAt,
    ).toBe(7);
  });
});

describe('a record whose partition is paused', () => {
  const UNTIL = 1_800_000_000_000;
  const pause = { name: 'PauseError', text: 'the bank is closed', stage: 'handler' as const };
  const error = { name: 'CreditDown', text: 'no answer', stage: 'handler' as const };

  test('that has not failed says until when it is paused and why', () => {
    expect(pausedRecord(blockedRecordAt(42), pause, UNTIL, 50_000)).toStrictEqual(
      blockedRecordAt(42, {
        firstFailedAt: 50_000,
        error: {
          name: 'PauseError',
          text: 'paused until 2027-01-15T08:00:00.000Z: the bank is closed',
          stage: 'handler',
        },
      }),
    );
  });

  test('that was paused before says the new time, and since when it waits', () => {
    const paused = pausedRecord(blockedRecordAt(42), pause, UNTIL, 50_000);

    expect(pausedRecord(paused, pause, UNTIL + 1_000, 60_000)).toMatchObject({
      firstFailedAt: 50_000,
      error: { text: 'paused until 2027-01-15T08:00:01.000Z: the bank is closed' },
    });
  });

  test.each([{ attempts: 1 }, { interruptions: 1 }, { exhausted: true }])('with %o keeps its own error', (tries) => {
    const failed = blockedRecordAt(42, { ...tries, firstFailedAt: 7, error });
    const { error: _, ...without } = failed;

    expect(pausedRecord(failed, pause, UNTIL, 50_000)).toStrictEqual(failed);
    expect(pausedRecord(without, pause, UNTIL, 50_000)).toStrictEqual(without);
  });

  test('keeps at most 512 bytes of the text', () => {
    const { error } = pausedRecord(blockedRecordAt(42), { ...pause, text: 'x'.repeat(600) }, UNTIL, 50_000);

    expect(error?.text).toHaveLength(512);
  });
});

test.each([
  [1, 1, 2_000],
  [3, 1, 8_000],
  [30, 1, 300_000],
  [3, 0.25, 2_000],
])('the back-off after %i attempts at chance %f is %i ms', (attempts, random, ms) => {
  expect(backOffMs(attempts, policy, random)).toBe(ms);
});

test('the breaker opens at the limit', () => {
  expect(isBreakerOpen(99, policy)).toBe(false);
  expect(isBreakerOpen(100, policy)).toBe(true);
});

test('progress tells of the consumer’s limit where it is not the default', () => {
  const withLimit = withLetterLimit(progressOf({}), 5);
  expect(withLimit).toStrictEqual(progressOf({ maxConsecutiveDeadLetters: 5 }));
  expect([letterLimit(progressOf({})), letterLimit(withLimit)]).toEqual([100, 5]);
  expect(withLetterLimit(withLimit, 5)).toBe(withLimit);
  expect(withLetterLimit(withLimit, 100)).toStrictEqual(progressOf({}));
  expect(letterLimit(withLetterLimit(withLimit, Number.POSITIVE_INFINITY))).toBe(Number.POSITIVE_INFINITY);
});
