import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import type { KafkaCluster } from './constructs/kafka-cluster.ts';
import { LedgerTable } from './constructs/ledger-table.ts';
import { LockstepConsumer } from './constructs/lockstep-consumer.ts';
import type { StageConfig } from './stage-config.ts';

/** Properties of {@link OrdersStack}. */
export interface OrdersStackProps extends StackProps {
  readonly config: StageConfig;
  readonly cluster: KafkaCluster;
}

/** The consumers of a stage, on one ledger, and the tables that they write to. */
export class OrdersStack extends Stack {
  readonly orders: LockstepConsumer;

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
    };

    const orders = new TableV2(this, 'OrdersTable', {
      partitionKey: { name: 'orderId', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: removalPolicy !== RemovalPolicy.DESTROY,
      removalPolicy,
    });
    new CfnOutput(this, 'OrdersTableName', { value: orders.tableName });
    this.orders = new LockstepConsumer(this, 'Orders', {
      ...common,
      topic: { topicName: 'orders', partitions: config.ordersPartitions },
      entry: 'functions/orders/handler.ts',
      environment: {
        ORDERS_TABLE: orders.tableName,
        ...(config.creditCheckUrl !== undefined && { CREDIT_CHECK_URL: config.creditCheckUrl }),
      },
    });
    orders.grant(this.orders, 'dynamodb:PutItem');
  }
}
