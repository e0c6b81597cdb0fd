/**
 * What Lambda sends again of an answer's failures. AWS does not say which of these it does for Kafka; a consumer has to
 * be right under all of them. https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 *
 * - `lowest`: the partition resumes at its lowest reported offset, newer records follow in the same batch
 * - `reported`: only the reported records come back, before anything newer of their partition
 * - `batch`: the whole event comes back, all partitions of it
 * - `overtaken`: the reported records come back, but newer ones may overtake them
 */
export type ResendReading = 'lowest' | 'reported' | 'batch' | 'overtaken';

export const RESEND_READINGS = ['lowest', 'reported', 'batch', 'overtaken'] as const satisfies ResendReading[];

/** The settings of a mapping that decide what is sent. Times in ms. */
export interface MappingRules {
  /** Most records in an event, all partitions together. */
  readonly batchSize: number;
  readonly batchingWindowMs: number;
  /** Limit of the event's JSON. */
  readonly maxEventBytes: number;
  /** Bytes of the event's JSON besides its partitions. */
  readonly envelopeBytes: number;
  /** Retries after the first try, `Infinity` for -1 (see {@link retryLimit}). */
  readonly maxRetryAttempts: number;
  /** `Infinity` for -1. */
  readonly maxRecordAgeMs: number;
  readonly bisectOnFunctionError: boolean;
  /** Without it an answer's content is ignored. */
  readonly reportsBatchItemFailures: boolean;
  readonly reading: ResendReading;
  /** Pause before records are sent again; AWS does not say how long it is. */
  readonly retryDelayMs: number;
}

/** Lambda's limit on a synchronous invocation's payload. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_EVENT_BYTES = 6 * 1024 * 1024;

/** Infinite retries become this many once there is a destination. https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html */
const RETRIES_WITH_DESTINATION = 10;

/** @param maximumRetryAttempts - the mapping's setting, -1 or absent for infinite */
export function retryLimit(maximumRetryAttempts: number | undefined, hasDestination: boolean): number {
  if (maximumRetryAttempts !== undefined && maximumRetryAttempts >= 0) return maximumRetryAttempts;
  return hasDestination ? RETRIES_WITH_DESTINATION : Number.POSITIVE_INFINITY;
}

/** The defaults of a Kafka mapping: batches of 100, a window of 500 ms, infinite retries. */
export const DEFAULT_RULES: MappingRules = {
  batchSize: 100,
  batchingWindowMs: 500,
  maxEventBytes: MAX_EVENT_BYTES,
  envelopeBytes: 256,
  maxRetryAttempts: Number.POSITIVE_INFINITY,
  maxRecordAgeMs: Number.POSITIVE_INFINITY,
  bisectOnFunctionError: false,
  reportsBatchItemFailures: true,
  reading: 'lowest',
  retryDelayMs: 100,
};
