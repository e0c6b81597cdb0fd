import { randomUUID } from 'node:crypto';
import type { Discard, DiscardCondition } from './decide.ts';
import type { Ended } from './dispatcher.ts';
import type { EncodedRecord } from './encode-record.ts';
import { type Envelope, eventJson } from './event-json.ts';
import type { Mapping } from './mapping.ts';

/** The facts for a destination about records that the mapping gave up on. */
export interface Failure {
  readonly mapping: Mapping;
  readonly bootstrapServers: string;
  readonly envelope: Envelope;
  /** The last invocation; absent for records that were never sent. */
  readonly ended?: Ended | undefined;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/** One document for the discards of one invocation. https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html */
export function batchDocument(discards: readonly Discard<EncodedRecord>[], failure: Failure): object {
  const recordsInfo: Record<string, object> = {};
  for (const { partition, records } of byPartition(discards)) {
    const first = records[0];
    const last = records.at(-1);
    if (!first || !last) continue;
    recordsInfo[partition] = {
      firstRecordOffset: String(first.offset),
      lastRecordOffset: String(last.offset),
      firstRecordTimestamp: new Date(first.timestamp).toISOString(),
      lastRecordTimestamp: new Date(last.timestamp).toISOString(),
    };
  }
  const condition = discards[0]?.condition ?? 'RetryAttemptsExhausted';
  return {
    ...metadata(condition, invokeCount(discards), failure),
    KafkaBatchInfo: {
      batchSize: discards.reduce((sum, { records }) => sum + records.length, 0),
      ...origin(failure),
      payloadSize: Buffer.byteLength(eventJson(failure.envelope, byPartition(discards))),
      recordsInfo,
    },
  };
}

/**
 * One document for each record of a discard, with the record in it.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html
 */
export function recordDocument(discard: Discard<EncodedRecord>, record: EncodedRecord, failure: Failure): object {
  // AWS uses another word here than for queues.
  const condition = discard.condition === 'RetryAttemptsExhausted' ? 'RetriesExhausted' : discard.condition;
  const payload = eventJson(failure.envelope, [{ partition: discard.partition, records: [record] }]);
  return {
    ...metadata(condition, discard.invokeCount, failure),
    KafkaBatchInfo: {
      batchSize: 1,
      ...origin(failure),
      payloadSize: Buffer.byteLength(payload),
      recordInfo: { offset: String(record.offset), timestamp: new Date(record.timestamp).toISOString() },
    },
    payload: JSON.parse(payload),
  };
}

function metadata(condition: DiscardCondition | 'RetriesExhausted', approximateInvokeCount: number, failure: Failure) {
  const { ended, mapping, nowMs } = failure;
  const failed = ended?.outcome.type === 'error';
  return {
    requestContext: {
      requestId: ended?.requestId ?? randomUUID(),
      functionArn: mapping.functionArn,
      condition,
      approximateInvokeCount,
    },
    responseContext: ended
      ? { statusCode: 200, executedVersion: '$LATEST', ...(failed && { functionError: 'Unhandled' }) }
      : null,
    version: '1.0',
    timestamp: new Date(nowMs).toISOString(),
  };
}

function origin({ mapping, bootstrapServers }: Failure) {
  return { eventSourceArn: mapping.eventSourceArn, bootstrapServers };
}

function invokeCount(discards: readonly Discard<EncodedRecord>[]): number {
  return Math.max(0, ...discards.map((discard) => discard.invokeCount));
}

function byPartition(
  discards: readonly Discard<EncodedRecord>[],
): Pick<Discard<EncodedRecord>, 'partition' | 'records'>[] {
  const partitions = new Map<string, EncodedRecord[]>();
  for (const { partition, records } of discards) {
    partitions.set(partition, [...(partitions.get(partition) ?? []), ...records]);
  }
  return [...partitions].map(([partition, records]) => ({ partition, records }));
}
