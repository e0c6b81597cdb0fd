import * as v from 'valibot';
import { DEFAULT_PARK_LIMITS, type ParkLimits } from './decide/parking.ts';
import { DEFAULT_MAX_CONSECUTIVE_DEAD_LETTERS, type ErrorClass } from './decide/retry-policy.ts';
import type { ConsumerEnvironment } from './environment.ts';
import { LockstepError } from './errors.ts';
import type { ConsumerRecord } from './record/consumer-record.ts';
import { json, type ValueDecoder } from './record/decode.ts';
import type { Consumer, OnBatch, OnRecord } from './runtime/consumer.ts';

/** All defaults. Milliseconds where the name says so. */
export const DEFAULTS = {
  maxConcurrency: 16,
  maxBatchRecords: 10_000,
  maxAttempts: 5,
  maxInterruptions: 3,
  inlineRetries: 2,
  inlineDelayMs: 100,
  backOffBaseMs: 1_000,
  backOffMaxMs: 300_000,
  maxPauseMs: 3_600_000,
  maxConsecutiveDeadLetters: DEFAULT_MAX_CONSECUTIVE_DEAD_LETTERS,
  maxParkedPerKey: DEFAULT_PARK_LIMITS.maxPerKey,
  maxParkedKeys: DEFAULT_PARK_LIMITS.maxKeys,
  leaseMs: 15_000,
  busyWaitMs: 2_000,
  checkpointMs: 200,
  missingRecordTimeoutMs: 300_000,
  haltedAnswerDelayMs: 1_000,
  blockedAnswerDelayMs: 20_000,
  keyTtlSeconds: 7 * 24 * 60 * 60,
  maxDeadLetterBytes: 1_048_588 + 65_536,
} as const;

/**
 * Deduplicates by topic, partition and offset: a redelivered record is skipped; a record that a producer wrote twice runs
 * twice.
 */
export const byPosition: unique symbol = Symbol.for('lockstep.byPosition');

/** How often a failing record is tried, and how long it waits. */
export interface RetryOptions {
  /** Attempts before the dead letter, 1–10,000; `Infinity` blocks the partition instead. @default 5 */
  readonly maxAttempts?: number;
  /**
   * Process crashes and timeouts in the handler before the dead letter, 1–10,000 or `Infinity`. @default 3; `Infinity` if
   * `maxAttempts` is
   */
  readonly maxInterruptions?: number;
  /** Quick tries after the first one, within one invocation, 0–100. @default 2 */
  readonly inlineRetries?: number;
  /** Longest pause before a quick try, 0–60,000 ms. @default 100 */
  readonly inlineDelayMs?: number;
  /**
   * Back-off across invocations: before attempt n + 1 the wait is drawn uniformly below `backOffBaseMs * 2^n`, 1–3,600,000 ms.
   * @default 1,000
   */
  readonly backOffBaseMs?: number;
  /** Longest back-off, `backOffBaseMs`–86,400,000 ms. @default 300,000: five minutes */
  readonly backOffMaxMs?: number;
  /** Longest pause that a PauseError may ask for, 1–86,400,000 ms. @default 3,600,000: an hour */
  readonly maxPauseMs?: number;
  /**
   * What becomes of a record that is given up on: it is dead-lettered, and later records of its key run; or it parks its key, with
   * `order: 'key'`: later records of the key wait behind it on the dead-letter topic, untried, until `lockstep release` runs them
   * in order. A record without a key is dead-lettered in either case. @default 'deadLetter'
   */
  readonly onExhausted?: 'deadLetter' | 'park';
  /** Records that may wait in one parked key, 1–1,000,000; beyond, the key blocks. With `onExhausted: 'park'`. @default 10,000 */
  readonly maxParkedPerKey?: number;
  /** Keys of one partition that may be parked, 1–5,000; beyond, an exhausted record blocks its key. With `onExhausted: 'park'`. @default 1,000 */
  readonly maxParkedKeys?: number;
  /**
   * Says how an error counts, before the built-in rule. If it returns anything but `'retryable'` or `'nonRetryable'`, the
   * built-in rule decides.
   */
  readonly classify?: (error: unknown) => ErrorClass | undefined;
}

/** Settings that you should not need to change: the defaults were measured. */
export interface TuningOptions {
  /** How long a crash can hold a partition, 5,000–60,000 ms. @default 15,000 */
  readonly leaseMs?: number;
  /** How long an invocation waits for a partition that another one holds, 0–60,000 ms. @default 2,000 */
  readonly busyWaitMs?: number;
  /**
   * Shortest time between two writes of progress while handlers run, 10–60,000 ms; `'record'`: a write after each record.
   * @default 200
   */
  readonly checkpointMs?: number | 'record';
  /**
   * How long later records wait for a record that Lambda does not deliver again, 1,000–86,400,000 ms. @default 300,000: five
   * minutes
   */
  readonly missingRecordTimeoutMs?: number;
  /** Longest wait of an invocation with blocked partitions before it answers, 0–900,000 ms. @default 1,000 */
  readonly haltedAnswerDelayMs?: number;
  /** The same if every partition of the event is blocked, 0–900,000 ms. @default 20,000 */
  readonly blockedAnswerDelayMs?: number;
  /** Largest record that the dead-letter topic takes, 1,024–67,108,864 bytes. @default 1,114,124: Kafka's default limit and 64 KiB */
  readonly maxDeadLetterBytes?: number;
}

/** Options of every consumer. */
export interface CommonOptions<V> {
  /** `json(schema)`, `text`, `bytes`, or a decoder of your own. */
  readonly value: ValueDecoder<V>;
  /** Returns a text that names what the record does, in any partition; or {@link byPosition}. */
  readonly idempotencyKey: ((record: ConsumerRecord<V>) => string) | typeof byPosition;
  /** What keeps its order: the whole partition, or the records of each key. @default 'partition' */
  readonly order?: 'partition' | 'key';
  readonly retry?: RetryOptions;
  /**
   * Consecutive dead letters of a partition after which exhausted records block instead, 1–1,000,000 or `Infinity`. @default
   * 100
   */
  readonly maxConsecutiveDeadLetters?: number;
  /**
   * What happens to a record whose value cannot be decoded or does not fit the schema. @default 'deadLetter'; 'retry' if
   * `maxAttempts` is `Infinity`
   */
  readonly onUndecodable?: 'deadLetter' | 'retry';
  /**
   * What happens when an idempotency key comes back with another value: the record is dead-lettered, or skipped. `compare`
   * returns the part that must be equal instead of the whole value. So a producer may send an order again with another time in
   * it.
   *
   * @default 'deadLetter', with the whole value compared byte by byte
   */
  readonly onKeyReuse?: 'deadLetter' | 'skip' | { readonly compare: (record: ConsumerRecord<V>) => unknown };
  /** Consumers with the same namespace share their keys; 1–255 characters without `#`. @default the consumer group */
  readonly keyNamespace?: string;
  /** How long a completed key is kept, 60–31,536,000 seconds. @default 604,800: a week */
  readonly keyTtlSeconds?: number;
  /**
   * Keeps idempotency keys as HMAC with the secret of the ledger's table instead of SHA-256: who may read the table, and not the
   * secret, cannot find out by guessing which keys were used. Changing it makes all known keys unknown. @default false
   */
  readonly hashKeysWithSecret?: boolean;
  /** What happens to records at offsets that the ledger has forgotten. @default 'halt' */
  readonly onReplay?: 'halt' | 'skip';
  /** Header names that dead letters get besides our own. @default none */
  readonly deadLetterHeaders?: readonly ('spring' | 'connect')[];
  /**
   * Takes secrets out of error messages and stacks before they reach a log or a dead letter. With it, texts that may quote a
   * record's value are included, too: the schema's own messages, what a decoder threw, thrown objects that are not errors.
   *
   * @default messages and stacks of errors as they are, and no text that quotes a value
   */
  readonly redact?: (text: string) => string;
  readonly tuning?: TuningOptions;
}

/** A handler that gets one record in a call. */
export interface RecordHandler<V> {
  /** Does the work for one record. */
  readonly onRecord: OnRecord<V>;
  /** With `order: 'key'`: how many records of different keys run side by side in a partition, 1–1,000. @default 16 */
  readonly maxConcurrency?: number;
  readonly onBatch?: never;
  readonly maxBatchRecords?: never;
}

/** A handler that gets several records in one call. */
interface BatchHandler<V> {
  /** Does the work for the open records of one partition. */
  readonly onBatch: OnBatch<V>;
  /** The most records that one call gets, 1–10,000. @default 10,000 */
  readonly maxBatchRecords?: number;
  readonly onRecord?: never;
  readonly maxConcurrency?: never;
}

/** Settings of a consumer. Checked at cold start. Unknown options, and combinations without a meaning, are refused. */
export type ConsumerOptions<V> = CommonOptions<V> & (RecordHandler<V> | BatchHandler<V>);

const integer = (from: number, to: number) => v.pipe(v.number(), v.integer(), v.minValue(from), v.maxValue(to));
const orInfinity = (from: number, to: number) => v.union([v.picklist([Number.POSITIVE_INFINITY]), integer(from, to)]);
const callable = <T>() => v.custom<T>((value) => typeof value === 'function');
/** A schema with the text that its error shows. */
const needed = (expected: string, schema: v.GenericSchema) => v.custom((value) => v.is(schema, value), expected);
const option = (expected: string, schema: v.GenericSchema) => v.exactOptional(needed(expected, schema));

function hasMember(value: unknown, name: string, type?: string): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  const member: unknown = Reflect.get(value, name);
  return type === undefined ? member !== undefined : typeof member === type;
}

const RETRY = v.strictObject({
  maxAttempts: option('an integer from 1 to 10000, or Infinity', orInfinity(1, 10_000)),
  maxInterruptions: option('an integer from 1 to 10000, or Infinity', orInfinity(1, 10_000)),
  inlineRetries: option('an integer from 0 to 100', integer(0, 100)),
  inlineDelayMs: option('an integer from 0 to 60000', integer(0, 60_000)),
  backOffBaseMs: option('an integer from 1 to 3600000', integer(1, 3_600_000)),
  backOffMaxMs: option('an integer from 1 to 86400000', integer(1, 86_400_000)),
  maxPauseMs: option('an integer from 1 to 86400000', integer(1, 86_400_000)),
  onExhausted: option("'deadLetter' or 'park'", v.picklist(['deadLetter', 'park'])),
  maxParkedPerKey: option('an integer from 1 to 1000000', integer(1, 1_000_000)),
  maxParkedKeys: option('an integer from 1 to 5000', integer(1, 5_000)),
  classify: option('a function', callable()),
});

const TUNING = v.strictObject({
  leaseMs: option('an integer from 5000 to 60000', integer(5_000, 60_000)),
  busyWaitMs: option('an integer from 0 to 60000', integer(0, 60_000)),
  checkpointMs: option(
    "an integer from 10 to 60000, or 'record'",
    v.union([v.picklist(['record']), integer(10, 60_000)]),
  ),
  missingRecordTimeoutMs: option('an integer from 1000 to 86400000', integer(1_000, 86_400_000)),
  haltedAnswerDelayMs: option('an integer from 0 to 900000', integer(0, 900_000)),
  blockedAnswerDelayMs: option('an integer from 0 to 900000', integer(0, 900_000)),
  maxDeadLetterBytes: option('an integer from 1024 to 67108864', integer(1_024, 67_108_864)),
});

const OPTIONS = v.strictObject({
  value: v.pipe(
    needed(
      'a decoder and no schema: write `json(schema)`',
      v.custom((value) => !hasMember(value, '~standard')),
    ),
    needed(
      'a decoder: write `json(schema)`, or `json()` without a schema',
      v.custom((value) => value !== json),
    ),
    needed(
      'a decoder of records and no codec of bytes: write `{ decode: ({ valueBytes }) => codec.decode(valueBytes) }`, or `text`',
      v.custom((value) => !(hasMember(value, 'encode') || hasMember(value, 'encoding'))),
    ),
    needed(
      'a decoder such as json(schema)',
      v.custom((value) => typeof value === 'object' && hasMember(value, 'decode', 'function')),
    ),
  ),
  idempotencyKey: needed(
    'a function, or byPosition',
    v.custom((value) => typeof value === 'function' || value === byPosition),
  ),
  onRecord: option('a function', callable()),
  onBatch: option('a function', callable()),
  order: option("'partition' or 'key'", v.picklist(['partition', 'key'])),
  maxConcurrency: option('an integer from 1 to 1000', integer(1, 1_000)),
  maxBatchRecords: option('an integer from 1 to 10000', integer(1, 10_000)),
  retry: v.exactOptional(RETRY),
  maxConsecutiveDeadLetters: option('an integer from 1 to 1000000, or Infinity', orInfinity(1, 1_000_000)),
  onUndecodable: option("'deadLetter' or 'retry'", v.picklist(['deadLetter', 'retry'])),
  onKeyReuse: option(
    "'deadLetter', 'skip', or an object with the function `compare`",
    v.union([v.picklist(['deadLetter', 'skip']), v.strictObject({ compare: callable() })]),
  ),
  keyNamespace: option('a string of 1 to 255 characters without #', v.pipe(v.string(), v.regex(/^[^#]{1,255}$/))),
  keyTtlSeconds: option('an integer from 60 to 31536000', integer(60, 31_536_000)),
  hashKeysWithSecret: option('true or false', v.boolean()),
  onReplay: option("'halt' or 'skip'", v.picklist(['halt', 'skip'])),
  deadLetterHeaders: option("an array of 'spring' and 'connect'", v.array(v.picklist(['spring', 'connect']))),
  redact: option('a function', callable()),
  tuning: v.exactOptional(TUNING),
});

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
  const { retry = {}, tuning = {}, value, idempotencyKey, onRecord, onBatch, onKeyReuse } = options;
  const maxAttempts = retry.maxAttempts ?? DEFAULTS.maxAttempts;
  const standStill = maxAttempts === Number.POSITIVE_INFINITY;
  return {
    value,
    ...(idempotencyKey !== byPosition && { idempotencyKey }),
    ...(typeof onKeyReuse === 'object' && { compare: onKeyReuse.compare }),
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
        maxPauseMs: retry.maxPauseMs ?? DEFAULTS.maxPauseMs,
        maxConsecutiveDeadLetters: options.maxConsecutiveDeadLetters ?? DEFAULTS.maxConsecutiveDeadLetters,
        park: parkLimits(retry),
        classify: retry.classify,
      },
      onUndecodable: options.onUndecodable ?? (standStill ? 'retry' : 'deadLetter'),
      onKeyReuse: typeof onKeyReuse === 'string' ? onKeyReuse : 'deadLetter',
      keyNamespace: options.keyNamespace ?? consumerGroup,
      keyTtlSeconds: options.keyTtlSeconds ?? DEFAULTS.keyTtlSeconds,
      hashKeysWithSecret: options.hashKeysWithSecret ?? false,
      leaseMs: tuning.leaseMs ?? DEFAULTS.leaseMs,
      busyWaitMs: tuning.busyWaitMs ?? DEFAULTS.busyWaitMs,
      checkpointMs: tuning.checkpointMs ?? DEFAULTS.checkpointMs,
      missingRecordTimeoutMs: tuning.missingRecordTimeoutMs ?? DEFAULTS.missingRecordTimeoutMs,
      onReplay: options.onReplay ?? 'halt',
      haltedAnswerDelayMs: tuning.haltedAnswerDelayMs ?? DEFAULTS.haltedAnswerDelayMs,
      blockedAnswerDelayMs: tuning.blockedAnswerDelayMs ?? DEFAULTS.blockedAnswerDelayMs,
      deadLetterHeaders: options.deadLetterHeaders ?? [],
      maxDeadLetterBytes: tuning.maxDeadLetterBytes ?? DEFAULTS.maxDeadLetterBytes,
      redact: options.redact,
      failureMode,
    },
  };
}

function parkLimits({ onExhausted, maxParkedPerKey, maxParkedKeys }: RetryOptions): ParkLimits | undefined {
  if (onExhausted !== 'park') return undefined;
  return {
    maxPerKey: maxParkedPerKey ?? DEFAULTS.maxParkedPerKey,
    maxKeys: maxParkedKeys ?? DEFAULTS.maxParkedKeys,
  };
}

/** The checks that need no environment. @throws LockstepError OPTIONS_INVALID */
export function checkOptions(options: unknown): void {
  const checked = v.safeParse(OPTIONS, options, { abortEarly: true });
  if (!checked.success) throw invalid(checked.issues[0], options);
  const fault = combinationFault(checked.output);
  if (fault !== undefined) throw new LockstepError('OPTIONS_INVALID', fault);
}

/** Why options do not fit together: one of them would have no effect. */
function combinationFault(options: v.InferOutput<typeof OPTIONS>): string | undefined {
  const { onRecord, onBatch, order, maxConcurrency, maxBatchRecords, idempotencyKey, retry = {} } = options;
  if ((onRecord === undefined) === (onBatch === undefined))
    return `expected one of \`onRecord\` and \`onBatch\`, got ${onRecord === undefined ? 'neither' : 'both'}`;
  if (maxConcurrency !== undefined && (onBatch !== undefined || order !== 'key'))
    return "`maxConcurrency` has no effect: it needs `onRecord` and `order: 'key'`";
  if (maxBatchRecords !== undefined && onBatch === undefined)
    return '`maxBatchRecords` has no effect: it needs `onBatch`';
  const ignored = KEY_OPTIONS.find((name) => idempotencyKey === byPosition && options[name] !== undefined);
  if (ignored !== undefined)
    return `\`${ignored}\` has no effect with \`byPosition\`: it needs an \`idempotencyKey\` function`;
  const { onExhausted, ...limits } = retry as RetryOptions;
  if (onExhausted === 'park' && order !== 'key')
    return "`retry.onExhausted: 'park'` needs `order: 'key'`: in partition order the partition itself stands still, with `retry.maxAttempts: Infinity`";
  const unused = (['maxParkedPerKey', 'maxParkedKeys'] as const).find((name) => limits[name] !== undefined);
  if (unused !== undefined && onExhausted !== 'park')
    return `\`retry.${unused}\` has no effect: it needs \`retry.onExhausted: 'park'\``;
  const { backOffBaseMs = DEFAULTS.backOffBaseMs, backOffMaxMs = DEFAULTS.backOffMaxMs } = retry as RetryOptions;
  return backOffBaseMs > backOffMaxMs
    ? `expected \`retry.backOffBaseMs\` to be at most \`retry.backOffMaxMs\`, got ${backOffBaseMs} above ${backOffMaxMs}`
    : undefined;
}

const KEY_OPTIONS = ['onKeyReuse', 'keyNamespace', 'keyTtlSeconds', 'hashKeysWithSecret'] as const;

function handlerOf<V>(onRecord: OnRecord<V> | undefined, onBatch: OnBatch<V> | undefined): Consumer<V>['handler'] {
  if (onRecord !== undefined) return { type: 'record', onRecord };
  if (onBatch !== undefined) return { type: 'batch', onBatch };
  throw new LockstepError('OPTIONS_INVALID', 'expected one of `onRecord` and `onBatch`, got neither');
}

function invalid(issue: v.BaseIssue<unknown>, options: unknown): LockstepError {
  const path = (issue.path ?? []).map(({ key }) => String(key)).join('.');
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return new LockstepError('OPTIONS_INVALID', `unknown option \`${path}\``);
  }
  if (path === '') return new LockstepError('OPTIONS_INVALID', `expected an object of options, got ${show(options)}`);
  if (issue.type === 'strict_object' && issue.input !== undefined)
    return new LockstepError(
      'OPTIONS_INVALID',
      `expected \`${path}\` to be an object of options, got ${show(issue.input)}`,
    );
  const missing = issue.type === 'strict_object';
  return new LockstepError(
    'OPTIONS_INVALID',
    missing ? `option \`${path}\` is missing` : `expected \`${path}\` to be ${issue.message}, got ${show(issue.input)}`,
  );
}

function show(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : `\`${String(value)}\` (${typeof value})`;
}
