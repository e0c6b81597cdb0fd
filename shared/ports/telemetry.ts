/** Metrics of a consumer, dimension `service`. Counts unless the name says milliseconds. Alarms rest on these names. */
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
  'RecordsNotRedelivered',
  'ReplayHalted',
  'TopicsRecreated',
  'FloodBreakerOpen',
  'ParkedKeysFull',
  'FallbackDeadLetters',
  'RelayEntriesWaiting',
  'LedgerUnavailable',
  'HandlersStalled',
  'BlockedRecordAgeMs',
  'HandlerMs',
] as const;

/** A name of {@link METRICS}. */
export type MetricName = (typeof METRICS)[number];

/** Fields of a log line; about a record: `topic, partition, offset, attempt, traceparent`. Values of records are never logged. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log. */
export interface Log {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

/** What operators see. */
export interface Telemetry {
  readonly log: Log;
  /**
   * Measures something in this invocation; written out when it ends. Counts are summed; of `*Ms` metrics, which are milliseconds,
   * the highest of the invocation is kept.
   */
  count(metric: MetricName, value?: number): void;
}
