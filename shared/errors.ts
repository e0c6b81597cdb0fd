import type { ErrorKind } from './error-kind.ts';
import type { OperatorErrorCode } from './operator-error-table.ts';

/** A code of {@link ERRORS}. The codes are stable. */
export type ConsumerErrorCode =
  | 'EVENT_NOT_KAFKA'
  | 'EVENT_RECORD_MALFORMED'
  | 'EVENT_CHANGED'
  | 'ANSWER_CHANGED'
  | 'EVENT_FOREIGN'
  | 'OPTIONS_INVALID'
  | 'ENVIRONMENT_INVALID'
  | 'DEPLOYMENT_DIFFERS'
  | 'LEDGER_UNAVAILABLE'
  | 'LEDGER_ITEM_UNREADABLE'
  | 'LEDGER_ITEM_FULL'
  | 'KAFKA_VALUE_UNDECODABLE'
  | 'KAFKA_VALUE_INVALID'
  | 'IDEMPOTENCY_KEY_EMPTY'
  | 'IDEMPOTENCY_KEY_INVALID'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'HANDLER_NEVER_ENDED'
  | 'HANDLER_INTERRUPTED'
  | 'TRANSACT_TOO_LARGE'
  | 'TRANSACT_REFUSED'
  | 'BATCH_FAILURE_FOREIGN'
  | 'PRODUCE_SOURCE_UNKNOWN'
  | 'PRODUCE_INVALID'
  | 'TRANSACT_INVALID'
  | 'CONTEXT_ENDED'
  | 'PRODUCE_FAILED'
  | 'DEAD_LETTER_REFUSED'
  | 'FALLBACK_REFUSED'
  | 'BROKER_UNREACHABLE'
  | 'ORIGINAL_UNREADABLE'
  | 'RECORD_EXPIRED'
  | 'PARTITION_FAILED'
  | 'BATCH_INCOMPLETE'
  | 'SANDBOX_OCCUPIED';

/**
 * Every error that a consumer raises; those of who looks after it are in `operator-error-table.ts`, which no cold start of a consumer
 * reads. A message is `CODE: what, where, what was expected. What to do.` The codes are stable; texts may get better.
 */
export const ERRORS: Readonly<Record<ConsumerErrorCode, ErrorKind>> = {
  EVENT_NOT_KAFKA: {
    retryable: false,
    hint: 'Attach this function to an Amazon MSK or self-managed Kafka event source mapping, and to nothing else.',
  },
  EVENT_RECORD_MALFORMED: {
    retryable: false,
    hint: 'Nothing of the event was handled. If the event came from a mapping, report it; if from a test, build it with record() and kafkaEvent().',
  },
  EVENT_CHANGED: {
    retryable: false,
    hint: 'A middleware given to `.use()` changed the event, as @middy/event-normalizer does. Nothing of the event was handled. Remove that middleware: the option `value` decodes values.',
  },
  ANSWER_CHANGED: {
    retryable: false,
    hint: 'Lambda would take failed records for handled ones. A middleware given to `.use()` set a response: remove it, as an error handler or a response formatter for HTTP. Lambda sends the event again; what is settled is skipped.',
  },
  EVENT_FOREIGN: {
    retryable: false,
    hint: 'Nothing of the event was handled: it is not of the mapping of this function. Find out who invoked the function, and take `lambda:InvokeFunction` from whoever is not to.',
  },
  OPTIONS_INVALID: {
    retryable: false,
    hint: 'Correct the option in the call of lockstepConsumer; docs/retry-and-idempotency.md lists them all.',
  },
  ENVIRONMENT_INVALID: {
    retryable: false,
    hint: 'Deploy the function with the LockstepConsumer construct, which sets its environment, or set the variable yourself.',
  },
  DEPLOYMENT_DIFFERS: {
    retryable: false,
    hint: 'Nothing was handled. Say the same in the options of lockstepConsumer and in the properties `retry` and `keyNamespaces` of the LockstepConsumer construct, and deploy.',
  },
  LEDGER_UNAVAILABLE: {
    retryable: true,
    hint: 'Check that the table exists, that the function may reach DynamoDB from its subnets, and that its role may use the table; throttling passes by itself.',
  },
  LEDGER_ITEM_UNREADABLE: {
    retryable: false,
    hint: 'The item was written by a newer version or changed by hand: deploy that version, or reset the partition with `lockstep reset`; if it is the item of an idempotency key, delete it: its record counts as never handled then.',
  },
  LEDGER_ITEM_FULL: {
    retryable: false,
    hint: 'The item has reached the 400 KB that DynamoDB allows. See with `lockstep status` what blocks the partition and settle or skip it; `lockstep reset` makes the ledger forget the partition.',
  },
  KAFKA_VALUE_UNDECODABLE: {
    retryable: false,
    hint: "Check the producer's serializer and the consumer's `value`. `onUndecodable: 'retry'` keeps such records instead of dead-lettering them.",
  },
  KAFKA_VALUE_INVALID: {
    retryable: false,
    hint: "Compare the producer's schema with the consumer's. `onUndecodable: 'retry'` keeps such records instead of dead-lettering them; the option `redact` lets the schema's own messages into the letter.",
  },
  IDEMPOTENCY_KEY_EMPTY: {
    retryable: false,
    hint: 'Return a non-empty string from idempotencyKey, or use byPosition when the ledger alone is enough.',
  },
  IDEMPOTENCY_KEY_INVALID: {
    retryable: false,
    hint: 'Return a string that names what the record does. `json(schema, { exactIntegers: true })` keeps integers beyond 2^53 exact, as bigint.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    retryable: false,
    hint: 'Two different records carry one idempotency key: make the key name what the record does. If they are one order that was sent twice, name what must be equal: `onKeyReuse: { compare: ({ value }) => value.amount }`.',
  },
  HANDLER_NEVER_ENDED: {
    retryable: true,
    hint: 'The record handler was still running when the invocation had to answer. Let it heed context.signal, give it less to do, or raise the function timeout.',
  },
  HANDLER_INTERRUPTED: {
    retryable: false,
    hint: 'The process died each time this record was handled. Look for memory limits, native crashes and endless loops.',
  },
  TRANSACT_TOO_LARGE: {
    retryable: false,
    hint: 'One record may add at most 98 actions to context.transact; split what the record does, or write in the handler with conditions on context.epoch.',
  },
  TRANSACT_REFUSED: { retryable: true, hint: 'A condition of an action given to context.transact did not hold.' },
  BATCH_FAILURE_FOREIGN: {
    retryable: true,
    hint: 'Give BatchFailure one of the records that onBatch was called with.',
  },
  PRODUCE_SOURCE_UNKNOWN: {
    retryable: true,
    hint: 'In onBatch, say with `from` which record of the call it comes from: context.produce(topic, { ..., from: record }).',
  },
  PRODUCE_INVALID: {
    retryable: true,
    hint: 'Give context.produce the name of a topic, a value (text, bytes, or null), and a key and headers of text or bytes: numbers and objects are yours to encode.',
  },
  TRANSACT_INVALID: {
    retryable: true,
    hint: 'Give context.transact actions as TransactWriteItems takes them: `{ Put: { TableName, Item } }`.',
  },
  CONTEXT_ENDED: {
    retryable: false,
    hint: 'What is given to transact or produce after the handler ended is not committed. Await everything in the handler: look for a promise without `await`.',
  },
  PRODUCE_FAILED: {
    retryable: true,
    hint: 'The broker did not acknowledge a record given to context.produce. Check that the topic exists, that the role may write to it, and that the broker is up.',
  },
  DEAD_LETTER_REFUSED: {
    retryable: true,
    hint: 'Check that the dead-letter topic exists, takes records of this size, and that the role may write to it. The record stays where it is until it has a letter.',
  },
  FALLBACK_REFUSED: {
    retryable: true,
    hint: 'Check the fallback queue and the right to send to it. SQS takes 1 MiB at most.',
  },
  BROKER_UNREACHABLE: {
    retryable: true,
    hint: 'Check that the function is in subnets and security groups that reach the brokers, and that the authentication is what the cluster asks for.',
  },
  ORIGINAL_UNREADABLE: {
    retryable: true,
    hint: 'The original bytes could not be read back from Kafka; the record stays where it is. Check the right to read the source topic.',
  },
  RECORD_EXPIRED: {
    retryable: false,
    hint: 'Kafka no longer holds the record: raise the retention of the topic above the longest outage you want to survive.',
  },
  PARTITION_FAILED: {
    retryable: true,
    hint: 'The partition was reported for another delivery. If it does not pass, report it with the stack above.',
  },
  BATCH_INCOMPLETE: {
    retryable: true,
    hint: 'Not an error of its own: with failureMode "throw" the mapping redelivers the batch, and the ledger skips what is settled.',
  },
  SANDBOX_OCCUPIED: {
    retryable: true,
    hint: 'A record handler of an earlier invocation has not ended in this sandbox, so it ends itself. Let the handler heed context.signal.',
  },
};

/** Every code. */
export type ErrorCode = ConsumerErrorCode | OperatorErrorCode;

/** An error with a code, a place and a remedy. `name` is the code, so that it survives minifying and reads well in logs and letters. */
export class LockstepError extends Error {
  static {
    brand(LockstepError, 'LockstepError');
  }

  readonly code: ErrorCode;
  readonly retryable: boolean;

  /**
   * @param code - from the table, or with what its own table says
   * @param what - what is wrong and where, and what was expected instead, without a full stop
   */
  constructor(code: ConsumerErrorCode, what: string, options?: ErrorOptions);
  constructor(code: ErrorCode, what: string, options: ErrorOptions | undefined, kind: ErrorKind);
  constructor(code: ErrorCode, what: string, options?: ErrorOptions, kind?: ErrorKind) {
    const { retryable, hint } = kind ?? ERRORS[code as ConsumerErrorCode];
    super(`${code}: ${what}. ${hint}`, options);
    this.name = code;
    this.code = code;
    this.retryable = retryable;
  }
}

/** Classes of errors that decide what happens to a record. */
type BrandedName = 'LockstepError' | 'NonRetryableError' | 'PauseError' | 'BatchFailure' | 'QuotingCause';

/** One process may hold two copies of this package, with classes of their own: each knows the other's errors by a shared symbol. */
function brand(errorClass: { readonly prototype: Error }, name: BrandedName): void {
  Object.defineProperty(errorClass.prototype, Symbol.for(`lockstep.${name}`), { value: true });
}

/** Whether `value` was made by a class of that name, of any copy of this package. Never throws, whatever `value` is. */
export function isBranded(value: unknown, name: BrandedName): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return Reflect.get(value, Symbol.for(`lockstep.${name}`)) === true;
  } catch {
    return false;
  }
}

/**
 * What a library said of a record's value, as the cause of an error of ours. It may quote the value, so it reaches logs and letters
 * only where the consumer has the option `redact`.
 */
export class QuotingCause extends Error {
  static {
    brand(QuotingCause, 'QuotingCause');
  }

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'QuotingCause';
  }
}

/**
 * Thrown by a record handler: trying again cannot help. The record is dead-lettered after this attempt. An error with a
 * NonRetryableError as its cause counts as one.
 */
export class NonRetryableError extends Error {
  static {
    brand(NonRetryableError, 'NonRetryableError');
  }

  /** @param options.code - becomes the error's name in logs and letters, as `ORDER_UNKNOWN_CURRENCY`. @default 'NonRetryableError' */
  constructor(message?: string, options?: ErrorOptions & { readonly code?: string }) {
    super(message ?? options?.code, options);
    this.name = options?.code ?? 'NonRetryableError';
  }
}

/**
 * Thrown by a record handler: what it depends on is overloaded. The partition stands still, at most `retry.maxPauseMs`; no attempt
 * is counted. Say how long (`resumeAfterMs`) or until when (`resumeAt`); what is neither, as `NaN` or a date in the past, pauses
 * for a second. An error with a PauseError as its cause counts as one.
 */
export class PauseError extends Error {
  static {
    brand(PauseError, 'PauseError');
  }

  /** Milliseconds. */
  readonly resumeAfterMs: number | undefined;
  readonly resumeAt: Date | undefined;

  constructor(
    pause: ({ readonly resumeAfterMs: number } | { readonly resumeAt: Date }) & { readonly cause?: unknown },
  ) {
    super('the partition is paused', pause.cause === undefined ? undefined : { cause: pause.cause });
    this.name = 'PauseError';
    this.resumeAfterMs = 'resumeAfterMs' in pause ? pause.resumeAfterMs : undefined;
    this.resumeAt = 'resumeAt' in pause ? pause.resumeAt : undefined;
  }
}

/** Thrown by `onBatch`: what came before `record` is done, `record` failed with `cause`, what comes after was not tried. */
export class BatchFailure extends Error {
  static {
    brand(BatchFailure, 'BatchFailure');
  }

  readonly record: { readonly offset: number };

  constructor(record: { readonly offset: number }, options?: ErrorOptions) {
    super(`record at offset ${record.offset} failed`, options);
    this.name = 'BatchFailure';
    this.record = record;
  }
}

/** What a record fails with whose actions, given to `context.transact`, were refused; `retry.classify` may judge it by its reasons. */
export class TransactRefusedError extends LockstepError {
  /** By index into the actions; -1 where DynamoDB refused the request as a whole. `code` is DynamoDB's, as `ConditionalCheckFailed`. */
  readonly reasons: readonly { readonly index: number; readonly code: string; readonly text: string }[];

  constructor(what: string, reasons: TransactRefusedError['reasons']) {
    super('TRANSACT_REFUSED', what);
    this.reasons = reasons;
  }
}
