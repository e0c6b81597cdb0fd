import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { VERIFY_TRANSACTIONS } from '../functions/verify/experiment.ts';
import { kafkaArn, type MskKafka, usesIam } from './constructs/kafka-cluster.ts';
import { LockstepConsumer } from './constructs/lockstep-consumer.ts';
import { type ConsumersStackProps, consumersInCommon, handlerTable, sourceTopic } from './stack-parts.ts';

/** The shortest that a consumer may have: `lockstep verify` waits for it. */
const TIMEOUT = Duration.seconds(15);

/** As many records as `lockstep verify` wants in one event. */
const BATCH_SIZE = 10;

/**
 * What `lockstep verify` experiments with: a consumer like any other, whose function notes what Lambda delivers. It has a topic, a
 * ledger and a table of its own, and goes with its stack.
 */
export class VerifyStack extends Stack {
  constructor(scope: Construct, id: string, { config, cluster, ...props }: ConsumersStackProps) {
    super(scope, id, props);
    const common = consumersInCommon(this, { config, cluster });
    const table = handlerTable(this, 'DeliveriesTable', 'run', common);
    const verify = new LockstepConsumer(this, 'Verify', {
      ...common,
      // One partition: the order of deliveries is the order of offsets.
      topic: sourceTopic(this, 'lockstep-verify', 1, cluster, config),
      entry: 'functions/verify/handler.ts',
      // It wraps a consumer, so that it may answer otherwise.
      checkHandler: false,
      batchSize: BATCH_SIZE,
      timeout: TIMEOUT,
      batchingWindow: Duration.seconds(1),
      producesTo: ['lockstep-verify'],
      environment: { DELIVERIES_TABLE: table.tableName },
    });
    if (usesIam(cluster)) for (const right of rollBack(cluster)) verify.grantPrincipal.addToPrincipalPolicy(right);
    table.grant(verify, 'dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');
  }
}

/** For a transaction that is never committed. */
function rollBack(cluster: MskKafka): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'RollBack',
      actions: ['kafka-cluster:AlterTransactionalId', 'kafka-cluster:DescribeTransactionalId'],
      resources: [kafkaArn(cluster, 'transactional-id', VERIFY_TRANSACTIONS)],
    }),
    new PolicyStatement({
      sid: 'WriteInTransactions',
      actions: ['kafka-cluster:WriteDataIdempotently'],
      resources: [cluster.clusterArn],
    }),
  ];
}
