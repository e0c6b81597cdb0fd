import { describe, expect, test } from 'vitest';
import { byPosition, type ConsumerOptions, checkOptions, resolveOptions } from '../../shared/options.ts';
import { text } from '../../shared/record/decode.ts';

const nothing = (): void => undefined;
const environment = { consumerGroup: 'shop-orders', failureMode: 'report' as const };
const minimal: ConsumerOptions<string | null> = { value: text, idempotencyKey: byPosition, onRecord: () => undefined };

describe('defaults', () => {
  test('are what the docs say', () => {
    expect(resolveOptions(minimal, environment).policy).toMatchObject({
      order: 'partition',
      maxConcurrency: 16,
      retry: {
        maxAttempts: 5,
        maxInterruptions: 3,
        inlineRetries: 2,
        backOffBaseMs: 1_000,
        backOffMaxMs: 300_000,
        maxPauseMs: 3_600_000,
        maxConsecutiveDeadLetters: 100,
      },
      onUndecodable: 'deadLetter',
      onKeyReuse: 'deadLetter',
      keyNamespace: 'shop-orders',
      keyTtlSeconds: 604_800,
      hashKeysWithSecret: false,
      leaseMs: 15_000,
      busyWaitMs: 2_000,
      checkpointMs: 200,
      missingRecordTimeoutMs: 300_000,
      onReplay: 'halt',
      haltedAnswerDelayMs: 1_000,
      blockedAnswerDelayMs: 20_000,
      deadLetterHeaders: [],
      failureMode: 'report',
    });
  });

  test('stand still wherever attempts are infinite', () => {
    const { policy } = resolveOptions({ ...minimal, retry: { maxAttempts: Number.POSITIVE_INFINITY } }, environment);

    expect(policy.retry.maxInterruptions).toBe(Number.POSITIVE_INFINITY);
    expect(policy.onUndecodable).toBe('retry');
  });
});

/** Each option, one value outside its range, and what the error says. */
const WRONG: readonly (readonly [option: string, value: unknown, says: string])[] = [
  ['value', 7, 'expected `value` to be a decoder such as json(schema), got `7` (number)'],
  ['idempotencyKey', 'orderId', 'expected `idempotencyKey` to be a function, or byPosition, got `orderId` (string)'],
  ['onRecord', {}, 'expected `onRecord` to be a function, got an object'],
  ['onBatch', [], 'expected `onBatch` to be a function, got an array'],
  ['order', 'topic', "expected `order` to be 'partition' or 'key', got `topic` (string)"],
  ['maxConcurrency', 0, 'expected `maxConcurrency` to be an integer from 1 to 1000, got `0` (number)'],
  ['maxBatchRecords', 10_001, 'expected `maxBatchRecords` to be an integer from 1 to 10000, got `10001` (number)'],
  ['retry', 3, 'expected `retry` to be an object of options, got `3` (number)'],
  [
    'retry.maxAttempts',
    0,
    'expected `retry.maxAttempts` to be an integer from 1 to 10000, or Infinity, got `0` (number)',
  ],
  [
    'retry.maxInterruptions',
    1.5,
    'expected `retry.maxInterruptions` to be an integer from 1 to 10000, or Infinity, got `1.5` (number)',
  ],
  ['retry.inlineRetries', -1, 'expected `retry.inlineRetries` to be an integer from 0 to 100, got `-1` (number)'],
  ['retry.inlineDelayMs', '5', 'expected `retry.inlineDelayMs` to be an integer from 0 to 60000, got `5` (string)'],
  ['retry.backOffBaseMs', 0, 'expected `retry.backOffBaseMs` to be an integer from 1 to 3600000, got `0` (number)'],
  ['retry.backOffMaxMs', null, 'expected `retry.backOffMaxMs` to be an integer from 1 to 86400000, got null'],
  ['retry.maxPauseMs', 0, 'expected `retry.maxPauseMs` to be an integer from 1 to 86400000, got `0` (number)'],
  ['retry.classify', true, 'expected `retry.classify` to be a function, got `true` (boolean)'],
  ['retry.tries', 5, 'unknown option `retry.tries`'],
  [
    'maxConsecutiveDeadLetters',
    0,
    'expected `maxConsecutiveDeadLetters` to be an integer from 1 to 1000000, or Infinity, got `0` (number)',
  ],
  ['onUndecodable', 'skip', "expected `onUndecodable` to be 'deadLetter' or 'retry', got `skip` (string)"],
  [
    'onKeyReuse',
    'run',
    "expected `onKeyReuse` to be 'deadLetter', 'skip', or an object with the function `compare`, got `run` (string)",
  ],
  [
    'onKeyReuse',
    { compare: 'amount' },
    "expected `onKeyReuse` to be 'deadLetter', 'skip', or an object with the function `compare`, got an object",
  ],
  ['tuning', 5, 'expected `tuning` to be an object of options, got `5` (number)'],
  ['tuning.lease', 5, 'unknown option `tuning.lease`'],
  ['leaseMs', 15_000, 'unknown option `leaseMs`'],
  [
    'keyNamespace',
    'a#b',
    'expected `keyNamespace` to be a string of 1 to 255 characters without #, got `a#b` (string)',
  ],
  ['keyTtlSeconds', 59, 'expected `keyTtlSeconds` to be an integer from 60 to 31536000, got `59` (number)'],
  ['tuning.leaseMs', 4_999, 'expected `tuning.leaseMs` to be an integer from 5000 to 60000, got `4999` (number)'],
  ['tuning.busyWaitMs', -1, 'expected `tuning.busyWaitMs` to be an integer from 0 to 60000, got `-1` (number)'],
  [
    'tuning.checkpointMs',
    'batch',
    "expected `tuning.checkpointMs` to be an integer from 10 to 60000, or 'record', got `batch` (string)",
  ],
  [
    'tuning.missingRecordTimeoutMs',
    999,
    'expected `tuning.missingRecordTimeoutMs` to be an integer from 1000 to 86400000, got `999` (number)',
  ],
  ['hashKeysWithSecret', 'yes', 'expected `hashKeysWithSecret` to be true or false, got `yes` (string)'],
  ['onReplay', 'run', "expected `onReplay` to be 'halt' or 'skip', got `run` (string)"],
  [
    'tuning.haltedAnswerDelayMs',
    Number.NaN,
    'expected `tuning.haltedAnswerDelayMs` to be an integer from 0 to 900000, got `NaN` (number)',
  ],
  [
    'tuning.blockedAnswerDelayMs',
    900_001,
    'expected `tuning.blockedAnswerDelayMs` to be an integer from 0 to 900000, got `900001` (number)',
  ],
  [
    'deadLetterHeaders',
    ['quarkus'],
    "expected `deadLetterHeaders` to be an array of 'spring' and 'connect', got an array",
  ],
  [
    'tuning.maxDeadLetterBytes',
    1_023,
    'expected `tuning.maxDeadLetterBytes` to be an integer from 1024 to 67108864, got `1023` (number)',
  ],
  ['redact', 'all', 'expected `redact` to be a function, got `all` (string)'],
  ['leaseMS', 15_000, 'unknown option `leaseMS`'],
];

describe('a wrong option is refused with its name, its range and what it got', () => {
  test.each(WRONG)('%s: %o', (option, value, says) => {
    const [outer = '', inner] = option.split('.');
    const wrong = { ...minimal, [outer]: inner === undefined ? value : { [inner]: value } };

    expect(() => checkOptions(wrong)).toThrow(`OPTIONS_INVALID: ${says}`);
  });

  test('and every option is among these', () => {
    const named = new Set(WRONG.map(([option]) => option.replace(/^tuning\./, '')));
    // `failureMode` is set by the environment.
    const options = Object.keys(resolveOptions(minimal, environment).policy).filter((name) => name !== 'failureMode');

    expect(options.filter((name) => !named.has(name))).toEqual([]);
  });
});

test.each([
  [{ ...minimal, onBatch: nothing }, 'expected one of `onRecord` and `onBatch`, got both'],
  [{ value: text, idempotencyKey: byPosition }, 'expected one of `onRecord` and `onBatch`, got neither'],
  [{ value: text, onRecord: () => undefined }, 'option `idempotencyKey` is missing'],
  [{ ...minimal, maxConcurrency: 5 }, "`maxConcurrency` has no effect: it needs `onRecord` and `order: 'key'`"],
  [
    { value: text, idempotencyKey: byPosition, order: 'key', maxConcurrency: 5, onBatch: nothing },
    "`maxConcurrency` has no effect: it needs `onRecord` and `order: 'key'`",
  ],
  [{ ...minimal, maxBatchRecords: 5 }, '`maxBatchRecords` has no effect: it needs `onBatch`'],
  [
    { ...minimal, keyTtlSeconds: 60 },
    '`keyTtlSeconds` has no effect with `byPosition`: it needs an `idempotencyKey` function',
  ],
  [
    { ...minimal, keyNamespace: 'a' },
    '`keyNamespace` has no effect with `byPosition`: it needs an `idempotencyKey` function',
  ],
  [
    { ...minimal, hashKeysWithSecret: true },
    '`hashKeysWithSecret` has no effect with `byPosition`: it needs an `idempotencyKey` function',
  ],
  [
    { ...minimal, onKeyReuse: 'skip' },
    '`onKeyReuse` has no effect with `byPosition`: it needs an `idempotencyKey` function',
  ],
  [
    { ...minimal, retry: { backOffBaseMs: 500_000 } },
    'expected `retry.backOffBaseMs` to be at most `retry.backOffMaxMs`, got 500000 above 300000',
  ],
  [
    { ...minimal, retry: { backOffMaxMs: 500 } },
    'expected `retry.backOffBaseMs` to be at most `retry.backOffMaxMs`, got 1000 above 500',
  ],
  [undefined, 'expected an object of options, got undefined'],
])('%o is refused', (options, says) => {
  expect(() => checkOptions(options)).toThrow(`OPTIONS_INVALID: ${says}`);
});
