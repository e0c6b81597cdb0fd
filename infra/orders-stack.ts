import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AlarmTopic } from './constructs/alarm-topic.ts';
import { ConsumersDashboard } from './constructs/consumers-dashboard.ts';
import type { KafkaCluster } from './constructs/kafka-cluster.ts';
import { LedgerTable } from './constructs/ledger-table.ts';
import { LockstepConsumer } from './constructs/lockstep-consumer.ts';
import { handlerTable, sourceTopic } from './stack-parts.ts';
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

    const ordersTable = handlerTable(this, 'OrdersTable', 'orderId', removalPolicy);
    const orders = new LockstepConsumer(this, 'Orders', {
      ...common,
      topic: sourceTopic(this, 'orders', config.ordersPartitions, cluster, config),
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
