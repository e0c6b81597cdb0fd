import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { CfnTopic } from 'aws-cdk-lib/aws-msk';
import { Construct } from 'constructs';
import { type KafkaCluster, makesTopics } from './kafka-cluster.ts';
import { clusterHere } from './local-cluster.ts';

/** The facts about a topic that a consumer needs. */
export interface TopicFacts {
  readonly topicName: string;
  /** Number of partitions. More pollers would do nothing. */
  readonly partitions?: number;
  /** `max.message.bytes` of the topic. @default {@link DEFAULT_MAX_RECORD_BYTES}, Kafka's own */
  readonly maxRecordBytes?: number;
}

/** Kafka's default of `max.message.bytes`. https://kafka.apache.org/documentation/#topicconfigs_max.message.bytes */
export const DEFAULT_MAX_RECORD_BYTES = 1_048_588;

/** Brokers over three zones. */
export const DEFAULT_REPLICATION_FACTOR = 3;

/** Properties of {@link KafkaTopic}. */
export interface KafkaTopicProps {
  readonly cluster: KafkaCluster;
  readonly topicName: string;
  readonly partitions: number;
  /** @default {@link DEFAULT_MAX_RECORD_BYTES} */
  readonly maxRecordBytes?: number;
  /** How long Kafka keeps records. It must be longer than the longest outage that you want to survive. */
  readonly retention: Duration;
  /**
   * Whether the broker sets the timestamp of records when they are written (`LogAppendTime`), so that retention counts from
   * then, or keeps the producer's timestamp (`CreateTime`).
   *
   * @default false
   */
  readonly stampsOnAppend?: boolean;
  /** @default {@link DEFAULT_REPLICATION_FACTOR}; `min.insync.replicas` is one less */
  readonly replicationFactor?: number;
}

/**
 * A topic that `AWS::MSK::Topic` makes, and that is kept when the stack is deleted. It is not kept when the deployment that makes
 * it fails: the next one could not make it again. Where topics are made elsewhere, only its facts. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-msk-topic.html
 */
export class KafkaTopic extends Construct implements TopicFacts {
  readonly topicName: string;
  readonly partitions: number;
  readonly maxRecordBytes: number;

  constructor(scope: Construct, id: string, props: KafkaTopicProps) {
    super(scope, id);
    this.topicName = props.topicName;
    this.partitions = props.partitions;
    this.maxRecordBytes = props.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES;
    const cluster = clusterHere(this, props.cluster);
    if (!makesTopics(cluster)) return;
    const replicationFactor = props.replicationFactor ?? DEFAULT_REPLICATION_FACTOR;
    new CfnTopic(this, 'Resource', {
      clusterArn: cluster.clusterArn,
      topicName: props.topicName,
      partitionCount: props.partitions,
      replicationFactor,
      configs: topicConfigs({
        'cleanup.policy': 'delete',
        'max.message.bytes': this.maxRecordBytes,
        ...(props.stampsOnAppend && { 'message.timestamp.type': 'LogAppendTime' }),
        // Read-only on Express brokers. https://docs.aws.amazon.com/msk/latest/developerguide/msk-configuration-express-read-only.html
        ...(cluster.kind !== 'express' && { 'min.insync.replicas': Math.max(1, replicationFactor - 1) }),
        'retention.ms': props.retention.toMilliseconds(),
      }),
    }).applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  }
}

/** `key=value` lines in base64, as DescribeTopic shows them. https://docs.aws.amazon.com/msk/latest/developerguide/describe-topic-cli.html */
function topicConfigs(configs: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(configs).map(([key, value]) => `${key}=${value}`);
  return Buffer.from(lines.join('\n')).toString('base64');
}
