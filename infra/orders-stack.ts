import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { LockstepConsumer } from './constructs/lockstep-consumer.ts';
import { type ConsumersStackProps, consumersInCommon, handlerTable, sourceTopic } from './stack-parts.ts';

/** The consumers of a stage with one ledger, the tables that they write to, and their alarms and dashboard. */
export class OrdersStack extends Stack {
  constructor(scope: Construct, id: string, { config, cluster, ...props }: ConsumersStackProps) {
    super(scope, id, props);
    const common = consumersInCommon(this, { config, cluster });

    const ordersTable = handlerTable(this, 'OrdersTable', 'orderId', common);
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
  }
}
