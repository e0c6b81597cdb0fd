import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Offset } from '../record/units.ts';

/** Names one record to Lambda. `partition` is the key of `event.records`, given back as it came. */
export interface BatchItemFailure {
  readonly itemIdentifier: { readonly partition: string; readonly offset: Offset };
}

/** The answer of a Kafka consumer with `ReportBatchItemFailures`. */
export interface KafkaBatchResponse {
  readonly batchItemFailures: readonly BatchItemFailure[];
}

/** Where a partition stands when its invocation ends. */
export type PartitionEnd = { readonly type: 'drained' } | { readonly type: 'halted'; readonly firstUnsettled: Offset };

/** A partition of the event, its records in offset order, and where it ended. */
export interface EndedPartition {
  /** The key of `event.records`. */
  readonly identifier: string;
  readonly records: readonly Pick<DeliveredRecord, 'offset'>[];
  readonly end: PartitionEnd;
}

/**
 * What Lambda must send again: of each halted partition its first unsettled record and every later one, in offset order.
 *
 * AWS does not say whether a partition resumes at the lowest reported offset or only the reported records come back;
 * the whole tail is right either way. https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 *
 * @returns identifiers taken from the event, none made up: a foreign one makes Lambda resend everything
 */
export function batchResponse(partitions: readonly EndedPartition[]): KafkaBatchResponse {
  return { batchItemFailures: partitions.flatMap(unsettledTail) };
}

function unsettledTail({ identifier, records, end }: EndedPartition): BatchItemFailure[] {
  if (end.type === 'drained') return [];
  return records
    .filter(({ offset }) => offset >= end.firstUnsettled)
    .map(({ offset }) => ({ itemIdentifier: { partition: identifier, offset } }));
}
