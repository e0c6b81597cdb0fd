import { DEFAULT_RULES, type MappingRules, type ResendReading, retryLimit } from './mapping-rules.ts';

/** Where a mapping starts in a partition that its group has no committed offset for. */
export type StartingPosition =
  | { readonly type: 'TRIM_HORIZON' }
  | { readonly type: 'LATEST' }
  | { readonly type: 'AT_TIMESTAMP'; readonly timestampMs: number };

/** `kafka://<topic>` of the same cluster, or an SQS queue. https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html */
export type OnFailureDestination =
  | { readonly type: 'kafka'; readonly topic: string }
  | { readonly type: 'sqs'; readonly queueArn: string };

/** A deployed event source mapping. What is optional has Lambda's default. */
export interface Mapping {
  readonly uuid: string;
  readonly functionArn: string;
  /** Absent for a self-managed cluster. */
  readonly eventSourceArn?: string;
  readonly topic: string;
  readonly consumerGroupId: string;
  readonly startingPosition: StartingPosition;
  /** @default 100 */
  readonly batchSize?: number | undefined;
  /** @default 500 */
  readonly batchingWindowMs?: number | undefined;
  /** Patterns as written; a record passes if one of them matches. @default every record passes */
  readonly filters?: readonly string[] | undefined;
  /** -1 is infinite. @default -1 */
  readonly maximumRetryAttempts?: number | undefined;
  /** -1 is infinite. @default -1 */
  readonly maximumRecordAgeSeconds?: number | undefined;
  /** @default false */
  readonly bisectOnFunctionError?: boolean | undefined;
  /** @default false */
  readonly reportsBatchItemFailures?: boolean | undefined;
  readonly onFailure?: OnFailureDestination | undefined;
  /** Groups of `MetricsConfig`. @default none */
  readonly metrics?: readonly MetricGroup[] | undefined;
  /** Pollers to start with. @default 1 */
  readonly minimumPollers?: number | undefined;
}

export type MetricGroup = 'EventCount' | 'ErrorCount' | 'KafkaMetrics';

/** @property envelopeBytes - of the event's JSON besides its partitions */
export function rulesOf(
  mapping: Mapping,
  local: { readonly reading: ResendReading; readonly retryDelayMs: number; readonly envelopeBytes: number },
): MappingRules {
  const age = mapping.maximumRecordAgeSeconds ?? -1;
  return {
    ...DEFAULT_RULES,
    ...local,
    batchSize: mapping.batchSize ?? DEFAULT_RULES.batchSize,
    batchingWindowMs: mapping.batchingWindowMs ?? DEFAULT_RULES.batchingWindowMs,
    maxRetryAttempts: retryLimit(mapping.maximumRetryAttempts, mapping.onFailure !== undefined),
    maxRecordAgeMs: age < 0 ? Number.POSITIVE_INFINITY : age * 1_000,
    bisectOnFunctionError: mapping.bisectOnFunctionError ?? false,
    reportsBatchItemFailures: mapping.reportsBatchItemFailures ?? false,
  };
}
