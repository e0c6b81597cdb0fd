import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { LockstepConsumer } from './constructs/lockstep-consumer.ts';
import { type ConsumersStackProps, consumersInCommon, handlerTable, sourceTopic } from './stack-parts.ts';

/** A change that cannot be applied parks its SKU: later changes of it wait behind it, in order, and other SKUs go on. */
export class StockStack extends Stack {
  constructor(scope: Construct, id: string, { config, cluster, ...props }: ConsumersStackProps) {
    super(scope, id, props);
    const common = consumersInCommon(this, { config, cluster });

    const stockTable = handlerTable(this, 'StockTable', 'sku', common);
    const stock = new LockstepConsumer(this, 'Stock', {
      ...common,
      topic: sourceTopic(this, 'stock', config.ordersPartitions, cluster, config),
      entry: 'functions/stock/handler.ts',
      retry: { onExhausted: 'park' },
      environment: { STOCK_TABLE: stockTable.tableName, WAREHOUSES: 'main' },
    });
    stockTable.grant(stock, 'dynamodb:UpdateItem');
  }
}
