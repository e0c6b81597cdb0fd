import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import type { KafkaCluster } from './constructs/kafka-cluster.ts';
import { KafkaTopic, type TopicFacts } from './constructs/kafka-topic.ts';
import type { StageConfig } from './stage-config.ts';

/** A table that handlers write to; its name is an output. */
export function handlerTable(scope: Construct, id: string, partitionKey: string, removalPolicy: RemovalPolicy): Table {
  const made = new Table(scope, id, {
    partitionKey: { name: partitionKey, type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: removalPolicy !== RemovalPolicy.DESTROY,
    removalPolicy,
  });
  new CfnOutput(scope, `${id}Name`, { value: made.tableName });
  return made;
}

/** A topic that handlers read or write: made on a cluster of our own, taken as it is on any other. */
export function sourceTopic(
  scope: Construct,
  topicName: string,
  partitions: number,
  cluster: KafkaCluster,
  config: StageConfig,
): TopicFacts {
  if (config.cluster.type !== 'new') return { topicName, partitions };
  const retention = Duration.hours(config.topicRetentionHours);
  return new KafkaTopic(scope, `Topic-${topicName}`, { cluster, topicName, partitions, retention });
}
