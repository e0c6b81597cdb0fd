import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { AlarmTopic } from './constructs/alarm-topic.ts';
import { ConsumersDashboard } from './constructs/consumers-dashboard.ts';
import type { KafkaCluster } from './constructs/kafka-cluster.ts';
import { KafkaTopic, type TopicFacts } from './constructs/kafka-topic.ts';
import { LedgerTable } from './constructs/ledger-table.ts';
import { LockstepConsumer } from './constructs/lockstep-consumer.ts';
import type { StageConfig } from './stage-config.ts';

/** Properties of {@link OrdersStack}. */
export interface OrdersStackProps extends StackProps {
  readonly config: StageConfig;
  readonly cluster: KafkaCluster;
}

/** The consumers of a stage on one ledger, the tables that they write to, and what watches them. */
export class OrdersStack extends Stack {
  constructor(scope: Construct, id: string, { config, cluster, ...props }: OrdersStackProps) {
    super(scope, id, props);
    const removalPolicy = config.removal === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
    const common = {
      cluster,
      removalPolicy,
      ledger: new LedgerTable(this, 'Ledger', { removalPolicy }),
      timeout: Duration.seconds(config.functionTimeoutSeconds),
      memoryMiB: config.functionMemoryMiB,
      batchSize: config.batchSizeRecords,
      ...(config.alarmEmail !== undefined && {
        alarms: { topic: new AlarmTopic(this, 'AlarmTopic', { email: config.alarmEmail }) },
      }),
    };

    const ordersTable = table(this, 'OrdersTable', 'orderId', removalPolicy);
    const orders = new LockstepConsumer(this, 'Orders', {
      ...common,
      topic: source(this, 'orders', config.ordersPartitions, cluster, config),
      entry: 'functions/orders/handler.ts',
      environment: {
        ORDERS_TABLE: ordersTable.tableName,
        ...(config.creditCheckUrl !== undefined && { CREDIT_CHECK_URL: config.creditCheckUrl }),
      },
    });
    ordersTable.grant(orders, 'dynamodb:UpdateItem');

    new ConsumersDashboard(this, 'Dashboard', { consumers: [orders] });
  }
}

/** A table that handlers write to; its name is an output. */
function table(scope: Construct, id: string, partitionKey: string, removalPolicy: RemovalPolicy): Table {
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

/** The source topic: made on a cluster of our own, taken as it is on any other. */
function source(
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
