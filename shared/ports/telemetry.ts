/**
 * Metrics of a consumer, with the dimensions `service` and `stack`. They are counts unless the name says milliseconds. Alarms
 * depend on these names.
 */
export const METRICS = [
  'RecordsHandled',
  'RecordsDuplicate',
  'RecordsForOtherGroups',
  'RecordsDeadLettered',
  'RecordsParked',
  'RecordsNotAttempted',
  'AttemptsFailed',
  'Interruptions',
  'FencedCommits',
  'PartitionsBusy',
  'PartitionsWaitingForRecord',
  'PartitionsPaused',
  'PartitionsFull',
  'PartitionsHalted',
  'RecordsNotRedelivered',
  'LossSuspected',
  'ReplayHalted',
  'TopicsRecreated',
  'FloodBreakerOpen',
  'ParkedKeysFull',
  'ParkedKeys',
  'ParkedRecords',
  'ParkedAgeMs',
  'FallbackDeadLetters',
  'RelayEntriesWaiting',
  'LedgerUnavailable',
  'LedgerChecks',
  'HandlersStalled',
  'BlockedRecordAgeMs',
  'HandlerMs',
] as const;

/** A name of {@link METRICS}. */
export type MetricName = (typeof METRICS)[number];

/**
 * Fields of a log line. About a record: `topic, partition, offset, attempt, traceparent`. Values of records are never logged.
 */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log. */
export interface Log {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

/** Logs and metrics, for operators. */
export interface Telemetry {
  readonly log: Log;
  /**
   * Adds to a metric of this invocation, which is written when the invocation ends. Counts are summed. Of `*Ms` metrics, which
   * are milliseconds, the highest value is kept.
   */
  count(metric: MetricName, value?: number): void;
}
