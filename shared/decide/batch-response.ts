import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Offset } from '../record/units.ts';

/** Names one record to Lambda. `partition` is the key of `event.records`, unchanged. */
export interface BatchItemFailure {
  readonly itemIdentifier: { readonly partition: string; readonly offset: Offset };
}

/** The answer of a Kafka consumer with `ReportBatchItemFailures`. */
export interface KafkaBatchResponse {
  readonly batchItemFailures: readonly BatchItemFailure[];
}

/** A partition of the event, with its records in offset order, at the end of the invocation. */
export interface EndedPartition {
  /** The key of `event.records`. */
  readonly identifier: string;
  readonly records: readonly Pick<DeliveredRecord, 'offset'>[];
  /** Absent where all records are settled. */
  readonly firstUnsettled?: Offset | undefined;
}

/**
 * The records that Lambda must deliver again: of each halted partition its first unsettled record and every later one, in
 * offset order.
 *
 * AWS does not say whether a partition resumes at the lowest reported offset, or whether only the reported records come back.
 * Reporting all later records is right in both cases.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 *
 * @returns identifiers taken from the event. An identifier that is not in the event would make Lambda deliver the whole batch
 * again.
 */
export function batchResponse(partitions: readonly EndedPartition[]): KafkaBatchResponse {
  return { batchItemFailures: partitions.flatMap(unsettledTail) };
}

function unsettledTail({
  identifier,
  records,
  firstUnsettled = Number.POSITIVE_INFINITY,
}: EndedPartition): BatchItemFailure[] {
  return records
    .filter(({ offset }) => offset >= firstUnsettled)
    .map(({ offset }) => ({ itemIdentifier: { partition: identifier, offset } }));
}
