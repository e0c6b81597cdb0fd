import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { LockstepConsumer } from './constructs/lockstep-consumer.ts';
import { type ConsumersStackProps, consumersInCommon, handlerTable, sourceTopic } from './stack-parts.ts';

/** As many records as `lockstep verify` wants in one event. */
const BATCH_SIZE = 10;

/**
 * What `lockstep verify` experiments with: a consumer like any other, whose function notes what Lambda delivers. It has a topic, a
 * ledger and a table of its own, and goes with its stack.
 */
export class VerifyStack extends Stack {
  constructor(scope: Construct, id: string, { config, cluster, ...props }: ConsumersStackProps) {
    super(scope, id, props);
    const common = { ...consumersInCommon(this, { config, cluster }), removalPolicy: RemovalPolicy.DESTROY };
    const table = handlerTable(this, 'DeliveriesTable', 'run', common);
    const verify = new LockstepConsumer(this, 'Verify', {
      ...common,
      // One partition: the order of deliveries is the order of offsets.
      topic: sourceTopic(this, 'lockstep-verify', 1, cluster, config),
      entry: 'functions/verify/handler.ts',
      // It wraps a consumer, so that it may answer otherwise.
      checkHandler: false,
      batchSize: BATCH_SIZE,
      batchingWindow: Duration.seconds(1),
      producesTo: ['lockstep-verify'],
      environment: { DELIVERIES_TABLE: table.tableName },
    });
    table.grant(verify, 'dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');
  }
}
