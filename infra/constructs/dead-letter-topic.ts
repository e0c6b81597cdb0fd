import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { KafkaTopic, type KafkaTopicProps } from './kafka-topic.ts';

/** Room for the headers of a dead letter, so that the largest record of the source topic still fits. */
export const LETTER_HEADROOM_BYTES = 64 * 1024;

/** How long dead letters are kept. */
export const DEFAULT_LETTER_RETENTION = Duration.days(30);

/** Properties of {@link DeadLetterTopic}. */
export interface DeadLetterTopicProps extends Omit<KafkaTopicProps, 'retention' | 'maxRecordBytes' | 'stampsOnAppend'> {
  /** Record limit of the source topic in bytes. Dead letters may be {@link LETTER_HEADROOM_BYTES} larger. */
  readonly sourceMaxRecordBytes: number;
  /** @default {@link DEFAULT_LETTER_RETENTION} */
  readonly retention?: Duration;
}

/**
 * The topic for dead letters: the source's number of partitions, larger records, kept on deletion. Retention counts from the
 * time at which a dead letter was written: with the time of its record, which may be old or replayed, it could expire at once.
 * The header `x-original-timestamp` has the record's own time.
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
