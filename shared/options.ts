import { DEFAULT_MAX_CONSECUTIVE_DEAD_LETTERS, type ErrorClass } from './decide/retry-policy.ts';
import type { ConsumerEnvironment } from './environment.ts';
import { LockstepError } from './errors.ts';
import type { ConsumerRecord } from './record/consumer-record.ts';
import type { ValueDecoder } from './record/decode.ts';
import type { Consumer, OnBatch, OnRecord } from './runtime/consumer.ts';

/** Defaults, one place. Milliseconds where the name says so. */
export const DEFAULTS = {
  maxConcurrency: 16,
  maxBatchRecords: 10_000,
  maxAttempts: 5,
  maxInterruptions: 3,
  inlineRetries: 2,
  inlineDelayMs: 100,
  backOffBaseMs: 1_000,
  backOffMaxMs: 300_000,
  maxConsecutiveDeadLetters: DEFAULT_MAX_CONSECUTIVE_DEAD_LETTERS,
  leaseMs: 15_000,
  busyWaitMs: 2_000,
  checkpointMs: 200,
  headGateMs: 300_000,
  backoffSleepMs: 1_000,
  blockedSleepMs: 20_000,
  keyTtlSeconds: 7 * 24 * 60 * 60,
  maxLetterBytes: 1_048_588 + 65_536,
} as const;

/** Says that the ledger alone is enough: a redelivered record is a no-op; what a producer wrote twice runs twice. */
export const byPosition: unique symbol = Symbol('byPosition');

/** How often a failing record is tried. */
export interface RetryOptions {
  /** Recorded attempts before the dead letter; `Infinity` stands still rather than go on. @default {@link DEFAULTS.maxAttempts} */
  readonly maxAttempts?: number;
  /** Deaths of the process put down to the record before the dead letter. @default {@link DEFAULTS.maxInterruptions}, `Infinity` where `maxAttempts` is */
  readonly maxInterruptions?: number;
  /** Quick tries after the first, within one invocation, 0–100. @default {@link DEFAULTS.inlineRetries} */
  readonly inlineRetries?: number;
  /** Longest pause before a quick try, in milliseconds, 0–60,000. @default {@link DEFAULTS.inlineDelayMs} */
  readonly inlineDelayMs?: number;
  /** Back-off across invocations: before attempt n + 1 uniform below `backOffBaseMs * 2^n`, 1–3,600,000 ms. @default {@link DEFAULTS.backOffBaseMs} */
  readonly backOffBaseMs?: number;
  /** Longest back-off, 1–86,400,000 ms. @default {@link DEFAULTS.backOffMaxMs} */
  readonly backOffMaxMs?: number;
  /** Says how an error counts, before the built-in rule; `undefined` leaves it to that. */
  readonly classify?: (error: unknown) => ErrorClass | undefined;
}

/** Settings of a consumer. Checked at cold start; unknown ones are refused. */
export interface ConsumerOptions<V> {
  /** `json(schema)`, `text`, `bytes`, or a decoder of your own. */
  readonly value: ValueDecoder<V>;
  /** Names what the record does, in any partition; or {@link byPosition}. */
  readonly idempotencyKey: ((record: ConsumerRecord<V>) => string) | typeof byPosition;
  /** Does the work for one record. Give this or `onBatch`. */
  readonly onRecord?: OnRecord<V>;
  /** Does the work for the fresh records of one partition. */
  readonly onBatch?: OnBatch<V>;
  /** What keeps its order: the whole partition, or the records of one key. @default 'partition' */
  readonly order?: 'partition' | 'key';
  /** Records of different keys that run side by side, per partition, 1–1,000. @default {@link DEFAULTS.maxConcurrency} */
  readonly maxConcurrency?: number;
  /** Most records that one `onBatch` call gets, 1–10,000. @default {@link DEFAULTS.maxBatchRecords} */
  readonly maxBatchRecords?: number;
  readonly retry?: RetryOptions;
  /** Dead letters in a row, per partition, after which exhausted records block instead, 1–1,000,000 or `Infinity`. @default {@link DEFAULTS.maxConsecutiveDeadLetters} */
  readonly maxConsecutiveDeadLetters?: number;
  /** What an undecodable or invalid value is. @default 'deadLetter', 'retry' where `maxAttempts` is `Infinity` */
  readonly onUndecodable?: 'deadLetter' | 'retry';
  /** What a record is whose key was completed by one with another value. @default 'deadLetter' */
  readonly onKeyReuse?: 'deadLetter' | 'skip';
  /** Consumers with one namespace share their keys; 1–255 characters without `#`. @default the consumer group */
  readonly keyNamespace?: string;
  /** How long a completed key is known, 60–31,536,000 seconds. @default {@link DEFAULTS.keyTtlSeconds} */
  readonly keyTtlSeconds?: number;
  /** How long a crash blocks a partition, 5,000–60,000 ms. @default {@link DEFAULTS.leaseMs} */
  readonly leaseMs?: number;
  /** How long an invocation waits for a partition that another one holds, 0–60,000 ms. @default {@link DEFAULTS.busyWaitMs} */
  readonly busyWaitMs?: number;
  /** Progress is written behind the handler this often at most, 10–60,000 ms; `'record'`: after each record. @default {@link DEFAULTS.checkpointMs} */
  readonly checkpointMs?: number | 'record';
  /** How long a missing record holds what comes after it, before it counts as lost by the mapping, 1,000–86,400,000 ms. @default {@link DEFAULTS.headGateMs} */
  readonly headGateMs?: number;
  /** What happens to records from before the ledger's memory. @default 'halt' */
  readonly onReplay?: 'halt' | 'skip';
  /** Longest wait of a halted invocation before it answers, 0–900,000 ms. @default {@link DEFAULTS.backoffSleepMs} */
  readonly backoffSleepMs?: number;
  /** The same when every partition of the event is blocked, 0–900,000 ms. @default {@link DEFAULTS.blockedSleepMs} */
  readonly blockedSleepMs?: number;
  /** Header names on dead letters beside our own. @default none */
  readonly letterHeaders?: readonly ('spring' | 'connect')[];
  /** Largest record that the dead-letter topic takes, 1,024–67,108,864 bytes. @default {@link DEFAULTS.maxLetterBytes}: Kafka's default limit and 64 KiB */
  readonly maxLetterBytes?: number;
  /** Takes secrets out of error messages and stacks before they reach a log or a letter. @default leaves them as they are */
  readonly redact?: (text: string) => string;
}

/** What an option has to be. */
interface Check {
  /** In the words that an error needs. */
  readonly expected: string;
  readonly holds: (value: unknown) => boolean;
}

const isInteger = (value: unknown, from: number, to: number) =>
  typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to;
const integer = (from: number, to: number): Check => ({
  expected: `an integer from ${from} to ${to}`,
  holds: (value) => isInteger(value, from, to),
});
const orElse = ({ expected, holds }: Check, other: unknown, words: string): Check => ({
  expected: `${expected}, or ${words}`,
  holds: (value) => value === other || holds(value),
});
const orInfinity = (from: number, to: number) => orElse(integer(from, to), Number.POSITIVE_INFINITY, 'Infinity');
const eitherOf = (one: string, other: string): Check => ({
  expected: `'${one}' or '${other}'`,
  holds: (value) => value === one || value === other,
});
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const FUNCTION: Check = { expected: 'a function', holds: (value) => typeof value === 'function' };
const OBJECT: Check = { expected: 'an object of options', holds: isObject };

const RETRY: Readonly<Record<keyof RetryOptions, Check>> = {
  maxAttempts: orInfinity(1, 10_000),
  maxInterruptions: orInfinity(1, 10_000),
  inlineRetries: integer(0, 100),
  inlineDelayMs: integer(0, 60_000),
  backOffBaseMs: integer(1, 3_600_000),
  backOffMaxMs: integer(1, 86_400_000),
  classify: FUNCTION,
};

const OPTIONS: Readonly<Record<keyof ConsumerOptions<unknown>, Check>> = {
  value: {
    expected: 'a decoder such as json(schema)',
    holds: (value) => isObject(value) && 'decode' in value && typeof value.decode === 'function',
  },
  idempotencyKey: orElse(FUNCTION, byPosition, 'byPosition'),
  onRecord: FUNCTION,
  onBatch: FUNCTION,
  order: eitherOf('partition', 'key'),
  maxConcurrency: integer(1, 1_000),
  maxBatchRecords: integer(1, 10_000),
  retry: OBJECT,
  maxConsecutiveDeadLetters: orInfinity(1, 1_000_000),
  onUndecodable: eitherOf('deadLetter', 'retry'),
  onKeyReuse: eitherOf('deadLetter', 'skip'),
  keyNamespace: {
    expected: 'a string of 1 to 255 characters without #',
    holds: (value) => typeof value === 'string' && /^[^#]{1,255}$/.test(value),
  },
  keyTtlSeconds: integer(60, 31_536_000),
  leaseMs: integer(5_000, 60_000),
  busyWaitMs: integer(0, 60_000),
  checkpointMs: orElse(integer(10, 60_000), 'record', "'record'"),
  headGateMs: integer(1_000, 86_400_000),
  onReplay: eitherOf('halt', 'skip'),
  backoffSleepMs: integer(0, 900_000),
  blockedSleepMs: integer(0, 900_000),
  letterHeaders: {
    expected: "an array of 'spring' and 'connect'",
    holds: (value) => Array.isArray(value) && value.every((name) => name === 'spring' || name === 'connect'),
  },
  maxLetterBytes: integer(1_024, 67_108_864),
  redact: FUNCTION,
};

/**
 * Checks options and fills in the defaults.
 *
 * @throws LockstepError OPTIONS_INVALID naming the option, what is expected and what it got
 */
export function resolveOptions<V>(
  options: ConsumerOptions<V>,
  { consumerGroup, failureMode }: Pick<ConsumerEnvironment, 'consumerGroup' | 'failureMode'>,
): Consumer<V> {
  checkOptions(options);
  const { retry = {}, value, idempotencyKey, onRecord, onBatch } = options;
  const maxAttempts = retry.maxAttempts ?? DEFAULTS.maxAttempts;
  const standStill = maxAttempts === Number.POSITIVE_INFINITY;
  return {
    value,
    ...(idempotencyKey !== byPosition && { idempotencyKey }),
    handler: handlerOf(onRecord, onBatch),
    policy: {
      order: options.order ?? 'partition',
      maxConcurrency: options.maxConcurrency ?? DEFAULTS.maxConcurrency,
      maxBatchRecords: options.maxBatchRecords ?? DEFAULTS.maxBatchRecords,
      retry: {
        maxAttempts,
        maxInterruptions: retry.maxInterruptions ?? (standStill ? Number.POSITIVE_INFINITY : DEFAULTS.maxInterruptions),
        inlineRetries: retry.inlineRetries ?? DEFAULTS.inlineRetries,
        inlineDelayMs: retry.inlineDelayMs ?? DEFAULTS.inlineDelayMs,
        backOffBaseMs: retry.backOffBaseMs ?? DEFAULTS.backOffBaseMs,
        backOffMaxMs: retry.backOffMaxMs ?? DEFAULTS.backOffMaxMs,
        maxConsecutiveDeadLetters: options.maxConsecutiveDeadLetters ?? DEFAULTS.maxConsecutiveDeadLetters,
        classify: retry.classify,
      },
      onUndecodable: options.onUndecodable ?? (standStill ? 'retry' : 'deadLetter'),
      onKeyReuse: options.onKeyReuse ?? 'deadLetter',
      keyNamespace: options.keyNamespace ?? consumerGroup,
      keyTtlSeconds: options.keyTtlSeconds ?? DEFAULTS.keyTtlSeconds,
      leaseMs: options.leaseMs ?? DEFAULTS.leaseMs,
      busyWaitMs: options.busyWaitMs ?? DEFAULTS.busyWaitMs,
      checkpointMs: options.checkpointMs ?? DEFAULTS.checkpointMs,
      headGateMs: options.headGateMs ?? DEFAULTS.headGateMs,
      onReplay: options.onReplay ?? 'halt',
      backoffSleepMs: options.backoffSleepMs ?? DEFAULTS.backoffSleepMs,
      blockedSleepMs: options.blockedSleepMs ?? DEFAULTS.blockedSleepMs,
      letterHeaders: options.letterHeaders ?? [],
      maxLetterBytes: options.maxLetterBytes ?? DEFAULTS.maxLetterBytes,
      redact: options.redact ?? ((text) => text),
      failureMode,
    },
  };
}

/** The checks that need no environment. @throws LockstepError OPTIONS_INVALID */
export function checkOptions(options: unknown): void {
  if (!isObject(options)) throw invalid(`expected an object of options, got ${show(options)}`);
  for (const name of ['value', 'idempotencyKey'])
    if (!(name in options)) throw invalid(`option \`${name}\` is missing`);
  checkEach(options, OPTIONS, '');
  if ('retry' in options && isObject(options.retry)) checkEach(options.retry, RETRY, 'retry.');
  if ('onRecord' in options === 'onBatch' in options)
    throw invalid(`expected one of \`onRecord\` and \`onBatch\`, got ${'onRecord' in options ? 'both' : 'neither'}`);
}

function checkEach(options: object, checks: Readonly<Record<string, Check>>, path: string): void {
  for (const [name, { expected, holds }] of Object.entries(checks)) {
    if (!(name in options)) continue;
    const value: unknown = Reflect.get(options, name);
    if (!holds(value)) throw invalid(`expected \`${path}${name}\` to be ${expected}, got ${show(value)}`);
  }
  for (const name in options) if (!Object.hasOwn(checks, name)) throw invalid(`unknown option \`${path}${name}\``);
}

function handlerOf<V>(onRecord: OnRecord<V> | undefined, onBatch: OnBatch<V> | undefined): Consumer<V>['handler'] {
  if (onRecord !== undefined) return { type: 'record', onRecord };
  if (onBatch !== undefined) return { type: 'batch', onBatch };
  throw invalid('expected one of `onRecord` and `onBatch`, got neither');
}

function invalid(what: string): LockstepError {
  return new LockstepError('OPTIONS_INVALID', what);
}

function show(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : `\`${String(value)}\` (${typeof value})`;
}
