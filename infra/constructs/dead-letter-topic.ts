import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { KafkaTopic, type KafkaTopicProps } from './kafka-topic.ts';

/** Room for the headers of a letter, so that a record of the source topic's largest size still fits. */
export const LETTER_HEADROOM_BYTES = 64 * 1024;

/** How long letters wait for somebody. */
export const DEFAULT_LETTER_RETENTION = Duration.days(30);

/** Properties of {@link DeadLetterTopic}. */
export interface DeadLetterTopicProps extends Omit<KafkaTopicProps, 'retention' | 'maxRecordBytes' | 'stampsOnAppend'> {
  /** Limit of the source topic in bytes; letters may be {@link LETTER_HEADROOM_BYTES} larger. */
  readonly sourceMaxRecordBytes: number;
  /** @default {@link DEFAULT_LETTER_RETENTION} */
  readonly retention?: Duration;
}

/**
 * The topic that keeps exhausted records: the source's partitions, larger records, kept on deletion. Retention counts from when a
 * letter was written: a letter with the time of its record, which may be old or replayed, could expire at once. The record's own
 * time is in the header `x-original-timestamp`.
 */
export class DeadLetterTopic extends KafkaTopic {
  constructor(scope: Construct, id: string, { sourceMaxRecordBytes, retention, ...props }: DeadLetterTopicProps) {
    super(scope, id, {
      ...props,
      retention: retention ?? DEFAULT_LETTER_RETENTION,
      maxRecordBytes: sourceMaxRecordBytes + LETTER_HEADROOM_BYTES,
      stampsOnAppend: true,
    });
  }
}
