import * as v from 'valibot';
import { DEFAULT_MAX_CONSECUTIVE_DEAD_LETTERS, type ErrorClass } from './decide/retry-policy.ts';
import type { ConsumerEnvironment } from './environment.ts';
import { LockstepError } from './errors.ts';
import type { ConsumerRecord } from './record/consumer-record.ts';
import { json, type ValueDecoder } from './record/decode.ts';
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
  maxPauseMs: 3_600_000,
  maxConsecutiveDeadLetters: DEFAULT_MAX_CONSECUTIVE_DEAD_LETTERS,
  leaseMs: 15_000,
  busyWaitMs: 2_000,
  checkpointMs: 200,
  missingRecordTimeoutMs: 300_000,
  haltedAnswerDelayMs: 1_000,
  blockedAnswerDelayMs: 20_000,
  keyTtlSeconds: 7 * 24 * 60 * 60,
  maxDeadLetterBytes: 1_048_588 + 65_536,
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
  /** Longest pause that a PauseError may ask for, 1–86,400,000 ms. @default 3,600,000: an hour */
  readonly maxPauseMs?: number;
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
  /** How long a missing record holds what comes after it, before it counts as lost by the mapping, 1,000–86,400,000 ms. @default {@link DEFAULTS.missingRecordTimeoutMs} */
  readonly missingRecordTimeoutMs?: number;
  /** What happens to records from before the ledger's memory. @default 'halt' */
  readonly onReplay?: 'halt' | 'skip';
  /** Longest wait of a halted invocation before it answers, 0–900,000 ms. @default {@link DEFAULTS.haltedAnswerDelayMs} */
  readonly haltedAnswerDelayMs?: number;
  /** The same when every partition of the event is blocked, 0–900,000 ms. @default {@link DEFAULTS.blockedAnswerDelayMs} */
  readonly blockedAnswerDelayMs?: number;
  /** Header names on dead letters beside our own. @default none */
  readonly deadLetterHeaders?: readonly ('spring' | 'connect')[];
  /** Largest record that the dead-letter topic takes, 1,024–67,108,864 bytes. @default {@link DEFAULTS.maxDeadLetterBytes}: Kafka's default limit and 64 KiB */
  readonly maxDeadLetterBytes?: number;
  /**
   * Takes secrets out of error messages and stacks before they reach a log or a dead letter. With it, what may quote a record's
   * value is told too: the schema's own messages, what a decoder threw, objects that are thrown and are no errors.
   * @default messages and stacks of errors as they are, nothing that quotes a value
   */
  readonly redact?: (text: string) => string;
}

const integer = (from: number, to: number) => v.pipe(v.number(), v.integer(), v.minValue(from), v.maxValue(to));
const orInfinity = (from: number, to: number) => v.union([v.picklist([Number.POSITIVE_INFINITY]), integer(from, to)]);
const callable = <T>() => v.custom<T>((value) => typeof value === 'function');
/** A schema with the words that an error needs. */
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
  classify: option('a function', callable()),
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
  onKeyReuse: option("'deadLetter' or 'skip'", v.picklist(['deadLetter', 'skip'])),
  keyNamespace: option('a string of 1 to 255 characters without #', v.pipe(v.string(), v.regex(/^[^#]{1,255}$/))),
  keyTtlSeconds: option('an integer from 60 to 31536000', integer(60, 31_536_000)),
  leaseMs: option('an integer from 5000 to 60000', integer(5_000, 60_000)),
  busyWaitMs: option('an integer from 0 to 60000', integer(0, 60_000)),
  checkpointMs: option(
    "an integer from 10 to 60000, or 'record'",
    v.union([v.picklist(['record']), integer(10, 60_000)]),
  ),
  missingRecordTimeoutMs: option('an integer from 1000 to 86400000', integer(1_000, 86_400_000)),
  onReplay: option("'halt' or 'skip'", v.picklist(['halt', 'skip'])),
  haltedAnswerDelayMs: option('an integer from 0 to 900000', integer(0, 900_000)),
  blockedAnswerDelayMs: option('an integer from 0 to 900000', integer(0, 900_000)),
  deadLetterHeaders: option("an array of 'spring' and 'connect'", v.array(v.picklist(['spring', 'connect']))),
  maxDeadLetterBytes: option('an integer from 1024 to 67108864', integer(1_024, 67_108_864)),
  redact: option('a function', callable()),
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
        maxPauseMs: retry.maxPauseMs ?? DEFAULTS.maxPauseMs,
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
      missingRecordTimeoutMs: options.missingRecordTimeoutMs ?? DEFAULTS.missingRecordTimeoutMs,
      onReplay: options.onReplay ?? 'halt',
      haltedAnswerDelayMs: options.haltedAnswerDelayMs ?? DEFAULTS.haltedAnswerDelayMs,
      blockedAnswerDelayMs: options.blockedAnswerDelayMs ?? DEFAULTS.blockedAnswerDelayMs,
      deadLetterHeaders: options.deadLetterHeaders ?? [],
      maxDeadLetterBytes: options.maxDeadLetterBytes ?? DEFAULTS.maxDeadLetterBytes,
      redact: options.redact,
      failureMode,
    },
  };
}

/** The checks that need no environment. @throws LockstepError OPTIONS_INVALID */
export function checkOptions(options: unknown): void {
  const checked = v.safeParse(OPTIONS, options, { abortEarly: true });
  if (!checked.success) throw invalid(checked.issues[0], options);
  const { onRecord, onBatch } = checked.output;
  if ((onRecord === undefined) === (onBatch === undefined)) {
    throw new LockstepError(
      'OPTIONS_INVALID',
      `expected one of \`onRecord\` and \`onBatch\`, got ${onRecord === undefined ? 'neither' : 'both'}`,
    );
  }
}

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
