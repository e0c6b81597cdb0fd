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
 * Every error that a consumer raises. The errors of the relay and of operators are in `operator-error-table.ts`, which a consumer does
 * not load. A message is `CODE: what, where, what was expected. What to do.` The codes are stable; the texts may improve.
 */
export const ERRORS: Readonly<Record<ConsumerErrorCode, ErrorKind>> = {
  EVENT_NOT_KAFKA: {
    retryable: false,
    hint: 'Invoke this function only from an Amazon MSK or self-managed Kafka event source mapping.',
  },
  EVENT_RECORD_MALFORMED: {
    retryable: false,
    hint: 'Nothing of the event was handled. If the event came from a mapping, report a bug. If it came from a test, build it with record() and kafkaEvent().',
  },
  EVENT_CHANGED: {
    retryable: false,
    hint: 'A middleware given to `.use()` changed the event, as @middy/event-normalizer does. Nothing of the event was handled. Remove that middleware: the option `value` decodes values.',
  },
  ANSWER_CHANGED: {
    retryable: false,
    hint: 'A middleware given to `.use()` set a response, so Lambda would take failed records for handled ones. Remove that middleware, for example an HTTP error handler or response formatter. Lambda delivers the event again; settled records are skipped.',
  },
  EVENT_FOREIGN: {
    retryable: false,
    hint: 'The event did not come from the mapping of this function. Nothing of it was handled. Find out who invoked the function, and remove `lambda:InvokeFunction` from everyone who does not need it.',
  },
  OPTIONS_INVALID: {
    retryable: false,
    hint: 'Correct the option in the call of lockstepConsumer. docs/retry-and-idempotency.md lists all options.',
  },
  ENVIRONMENT_INVALID: {
    retryable: false,
    hint: 'Deploy the function with the LockstepConsumer construct, which sets its environment, or set the variable yourself.',
  },
  DEPLOYMENT_DIFFERS: {
    retryable: false,
    hint: 'Nothing was handled. Give the options of lockstepConsumer and the properties `retry` and `keyNamespaces` of the LockstepConsumer construct the same values, and deploy.',
  },
  LEDGER_UNAVAILABLE: {
    retryable: true,
    hint: 'Check that the table exists, that the function can reach DynamoDB from its subnets, and that its role may use the table. Throttling passes by itself.',
  },
  LEDGER_ITEM_UNREADABLE: {
    retryable: false,
    hint: 'A newer version wrote the item, or somebody changed it by hand. Deploy the newer version, or reset the partition with `lockstep reset`. If it is the item of an idempotency key, delete it: its record then counts as never handled.',
  },
  LEDGER_ITEM_FULL: {
    retryable: false,
    hint: 'The item has reached the limit of 400 KB that DynamoDB sets. `lockstep status` shows what blocks the partition: settle or skip that record. `lockstep reset` makes the ledger forget the partition.',
  },
  KAFKA_VALUE_UNDECODABLE: {
    retryable: false,
    hint: "Check the producer's serializer and the consumer's `value`. `onUndecodable: 'retry'` keeps such records instead of dead-lettering them.",
  },
  KAFKA_VALUE_INVALID: {
    retryable: false,
    hint: "Compare the producer's schema with the consumer's. `onUndecodable: 'retry'` keeps such records instead of dead-lettering them. With the option `redact` the dead letter has the schema's own messages.",
  },
  IDEMPOTENCY_KEY_EMPTY: {
    retryable: false,
    hint: 'Return a non-empty string from idempotencyKey, or use byPosition, which deduplicates by topic, partition and offset.',
  },
  IDEMPOTENCY_KEY_INVALID: {
    retryable: false,
    hint: 'Return a string that names what the record does. `json(schema, { exactIntegers: true })` reads integers beyond 2^53 exactly, as bigint.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    retryable: false,
    hint: 'Two different records have the same idempotency key. Make the key name what the record does. If both are the same order, sent twice, name the part that must be equal: `onKeyReuse: { compare: ({ value }) => value.amount }`.',
  },
  HANDLER_NEVER_ENDED: {
    retryable: true,
    hint: 'The record handler was still running when the invocation had to answer. Make it stop when context.signal fires, give it less work, or raise the function timeout.',
  },
  HANDLER_INTERRUPTED: {
    retryable: false,
    hint: 'The process died each time this record was handled. Look for memory limits, native crashes and endless loops.',
  },
  TRANSACT_TOO_LARGE: {
    retryable: false,
    hint: 'One record may add at most 98 actions to context.transact. Split the work over several records, or write in the handler with a condition on context.epoch.',
  },
  TRANSACT_REFUSED: { retryable: true, hint: 'A condition of an action given to context.transact did not hold.' },
  BATCH_FAILURE_FOREIGN: {
    retryable: true,
    hint: 'Give BatchFailure one of the records that onBatch was called with.',
  },
  PRODUCE_SOURCE_UNKNOWN: {
    retryable: true,
    hint: 'In onBatch, name the record of the call that it comes from: context.produce(topic, { ..., from: record }).',
  },
  PRODUCE_INVALID: {
    retryable: true,
    hint: 'Give context.produce the name of a topic, a value (text, bytes or null), and a key and headers of text or bytes. Encode numbers and objects yourself.',
  },
  TRANSACT_INVALID: {
    retryable: true,
    hint: 'Give context.transact the actions that TransactWriteItems takes: `{ Put: { TableName, Item } }`.',
  },
  CONTEXT_ENDED: {
    retryable: false,
    hint: 'Look in the handler for a promise without `await`: `transact` and `produce` have no effect after the handler has ended.',
  },
  PRODUCE_FAILED: {
    retryable: true,
    hint: 'The broker did not acknowledge a record given to context.produce. Check that the topic exists, that the role may write to it, and that the broker is up.',
  },
  DEAD_LETTER_REFUSED: {
    retryable: true,
    hint: 'Check that the dead-letter topic exists and takes records of this size, and that the role may write to it. The record stays blocked until its dead letter is written.',
  },
  FALLBACK_REFUSED: {
    retryable: true,
    hint: 'Check that the fallback queue exists and that the role may send to it. SQS takes at most 1 MiB.',
  },
  BROKER_UNREACHABLE: {
    retryable: true,
    hint: 'Check that the subnets and security groups of the function reach the brokers, and that the function uses an authentication that the cluster accepts.',
  },
  ORIGINAL_UNREADABLE: {
    retryable: true,
    hint: 'The original bytes could not be read back from Kafka. The record stays blocked. Check that the role may read the source topic.',
  },
  RECORD_EXPIRED: {
    retryable: false,
    hint: 'Kafka does not hold the record any more. Raise the retention of the topic above the longest outage that you want to survive.',
  },
  PARTITION_FAILED: {
    retryable: true,
    hint: 'Lambda will deliver the records of the partition again. If the error stays, report a bug with the stack above.',
  },
  BATCH_INCOMPLETE: {
    retryable: true,
    hint: 'This is not a fault. With failureMode "throw" the function throws so that Lambda delivers the batch again. Settled records are skipped.',
  },
  SANDBOX_OCCUPIED: {
    retryable: true,
    hint: 'A record handler of an earlier invocation still runs in this process, so the process ends itself. Make the handler stop when context.signal fires.',
  },
};

/** Every code. */
export type ErrorCode = ConsumerErrorCode | OperatorErrorCode;

/** An error with a code, a place and a remedy. `name` is the code, so that minifying does not change it in logs and dead letters. */
export class LockstepError extends Error {
  static {
    brand(LockstepError, 'LockstepError');
  }

  readonly code: ErrorCode;
  readonly retryable: boolean;

  /**
   * @param code - from this table, or of another table with its `kind`
   * @param what - what is wrong, where, and what was expected instead; without a full stop
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
type BrandedName =
  | 'LockstepError'
  | 'TransactRefusedError'
  | 'NonRetryableError'
  | 'PauseError'
  | 'BatchFailure'
  | 'QuotingCause';

/**
 * A process may load two copies of this package, each with its own classes. A shared symbol lets each recognise the other's errors,
 * also by `instanceof`.
 */
function brand(errorClass: { readonly prototype: Error }, name: BrandedName): void {
  Object.defineProperty(errorClass.prototype, Symbol.for(`lockstep.${name}`), { value: true });
  Object.defineProperty(errorClass, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      // A derived class inherits this method, and not the brand.
      return this === errorClass ? isBranded(value, name) : Function.prototype[Symbol.hasInstance].call(this, value);
    },
  });
}

/** Whether `value` is an instance of the class of that name, from any copy of this package. Never throws, whatever `value` is. */
export function isBranded(value: unknown, name: BrandedName): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return Reflect.get(value, Symbol.for(`lockstep.${name}`)) === true;
  } catch {
    return false;
  }
}

/**
 * A library's message about a record's value, as the cause of one of our errors. It may quote the value, so it reaches logs and dead
 * letters only where the consumer has the option `redact`.
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
 * A record handler throws it when another try cannot help. The record is dead-lettered after this attempt. An error whose cause is a
 * NonRetryableError counts as one.
 */
export class NonRetryableError extends Error {
  static {
    brand(NonRetryableError, 'NonRetryableError');
  }

  /** @param options.code - the error's name in logs and dead letters, for example `ORDER_UNKNOWN_CURRENCY`. @default 'NonRetryableError' */
  constructor(message?: string, options?: ErrorOptions & { readonly code?: string }) {
    super(message ?? options?.code, options);
    this.name = options?.code ?? 'NonRetryableError';
  }
}

/**
 * A record handler throws it when something that it depends on is overloaded. The partition pauses, at most for `retry.maxPauseMs`. No
 * attempt is counted. Give the length (`resumeAfterMs`) or the end (`resumeAt`) of the pause. Any other value, such as `NaN` or a date
 * in the past, pauses for a second. An error whose cause is a PauseError counts as one.
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

/** `onBatch` throws it: the records before `record` are done, `record` failed with `cause`, and the later ones were not tried. */
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

/** The error of a record whose actions, given to `context.transact`, were refused. `retry.classify` may judge it by its reasons. */
export class TransactRefusedError extends LockstepError {
  static {
    brand(TransactRefusedError, 'TransactRefusedError');
  }

  /** `index` is an index into the actions, or -1 where DynamoDB refused the whole request. `code` is DynamoDB's, for example `ConditionalCheckFailed`. */
  readonly reasons: readonly { readonly index: number; readonly code: string; readonly text: string }[];

  constructor(what: string, reasons: TransactRefusedError['reasons']) {
    super('TRANSACT_REFUSED', what);
    this.reasons = reasons;
  }
}
