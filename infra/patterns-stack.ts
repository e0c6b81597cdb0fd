import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { LockstepConsumer } from './constructs/lockstep-consumer.ts';
import { type ConsumersStackProps, consumersInCommon, handlerTable, sourceTopic } from './stack-parts.ts';

/** One consumer for each common way of consuming Kafka. docs/patterns.md says what each promises. */
export class PatternsStack extends Stack {
  constructor(scope: Construct, id: string, { config, cluster, ...props }: ConsumersStackProps) {
    super(scope, id, props);
    const partitions = config.ordersPartitions;
    const topic = (name: string) => sourceTopic(this, name, partitions, cluster, config);
    const common = consumersInCommon(this, { config, cluster });

    // Order matters more than progress: a failing record blocks its partition for ever.
    new LockstepConsumer(this, 'Payments', {
      ...common,
      topic: topic('payments'),
      entry: 'functions/payments/handler.ts',
      retry: { maxAttempts: Number.POSITIVE_INFINITY },
      environment: { PAYMENT_API_URL: config.paymentApiUrl ?? '' },
    });

    // Exactly once: effects are written in the transaction that settles their record.
    const entriesTable = handlerTable(this, 'EntriesTable', 'entryId', common);
    const balancesTable = handlerTable(this, 'BalancesTable', 'accountId', common);
    const ledger = new LockstepConsumer(this, 'Postings', {
      ...common,
      topic: topic('entries'),
      entry: 'functions/ledger/handler.ts',
      environment: { ENTRIES_TABLE: entriesTable.tableName, BALANCES_TABLE: balancesTable.tableName },
    });
    entriesTable.grant(ledger, 'dynamodb:PutItem');
    balancesTable.grant(ledger, 'dynamodb:UpdateItem');

    // Many records in one call.
    const devicesTable = handlerTable(this, 'DevicesTable', 'deviceId', common);
    const events = new LockstepConsumer(this, 'Events', {
      ...common,
      topic: topic('events'),
      entry: 'functions/events/handler.ts',
      batchSize: Math.max(common.batchSize, 500),
      environment: { DEVICES_TABLE: devicesTable.tableName },
    });
    devicesTable.grant(events, 'dynamodb:BatchWriteItem');

    // Records go on to another topic, whose consumer applies each one once.
    new LockstepConsumer(this, 'Shipments', {
      ...common,
      topic: { topicName: 'orders', partitions },
      entry: 'functions/shipments/handler.ts',
      producesTo: ['shipments'],
      environment: { SHIPMENTS_TOPIC: 'shipments' },
    });
    const deliveriesTable = handlerTable(this, 'DeliveriesTable', 'orderId', common);
    const deliveries = new LockstepConsumer(this, 'Deliveries', {
      ...common,
      topic: topic('shipments'),
      entry: 'functions/deliveries/handler.ts',
      environment: { DELIVERIES_TABLE: deliveriesTable.tableName },
    });
    deliveriesTable.grant(deliveries, 'dynamodb:UpdateItem');
  }
}
