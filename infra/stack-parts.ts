import { CfnOutput, Duration, RemovalPolicy, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { AlarmTopic } from './constructs/alarm-topic.ts';
import type { KafkaCluster } from './constructs/kafka-cluster.ts';
import { KafkaTopic, type TopicFacts } from './constructs/kafka-topic.ts';
import { LedgerTable } from './constructs/ledger-table.ts';
import type { StageConfig } from './stage-config.ts';
import { givenKey } from './stage-key.ts';

/** Properties of a stack of consumers. */
export interface ConsumersStackProps extends StackProps {
  readonly config: StageConfig;
  readonly cluster: KafkaCluster;
}

/** What the consumers of a stage share: the cluster, one ledger, one topic for alarms, and the stage's limits. */
export function consumersInCommon(scope: Construct, { config, cluster }: ConsumersStackProps) {
  const removalPolicy = config.removal === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
  const key = givenKey(scope, config.encryptionKeyArn);
  return {
    cluster,
    removalPolicy,
    ...key,
    ledger: new LedgerTable(scope, 'Ledger', { removalPolicy, ...key }),
    timeout: Duration.seconds(config.functionTimeoutSeconds),
    memoryMiB: config.functionMemoryMiB,
    batchSize: config.batchSizeRecords,
    ...(config.alarmEmail !== undefined && { alarms: alarmsBy(config.alarmEmail, scope, key) }),
  };
}

/** One topic for both severities. A team that is called out has two. */
function alarmsBy(email: string, scope: Construct, key: ReturnType<typeof givenKey>) {
  const topic = new AlarmTopic(scope, 'AlarmTopic', { email, ...key });
  return { page: topic, ticket: topic };
}

/** A table that handlers write to. Its name is an output. */
export function handlerTable(
  scope: Construct,
  id: string,
  partitionKey: string,
  { removalPolicy, encryptionKey }: Pick<ReturnType<typeof consumersInCommon>, 'removalPolicy' | 'encryptionKey'>,
): Table {
  const made = new Table(scope, id, {
    partitionKey: { name: partitionKey, type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: removalPolicy !== RemovalPolicy.DESTROY,
    removalPolicy,
    ...(encryptionKey && { encryptionKey }),
  });
  new CfnOutput(scope, `${id}Name`, { value: made.tableName });
  return made;
}

/** A topic that handlers read or write. It is created on a cluster of our own, and must exist on any other. */
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
