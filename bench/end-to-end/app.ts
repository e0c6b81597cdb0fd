/** A CDK app of the consumers that are measured end to end. */
import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { LockstepConsumer } from '../../infra/constructs/lockstep-consumer.ts';
import { CONSUMERS, PARTITIONS } from './consumers.ts';

const BATCH_SIZE = 500;

const app = new App();
const stack = new Stack(app, 'Bench');
for (const { name, topic, hasEffects } of CONSUMERS) {
  new LockstepConsumer(stack, name, {
    cluster: {
      clusterArn: app.node.getContext('clusterArn'),
      bootstrapServers: app.node.getContext('bootstrapServers'),
      auth: 'none',
      topics: 'elsewhere',
    },
    topic: { topicName: topic, partitions: PARTITIONS },
    entry: 'bench/end-to-end/lockstep-handler.ts',
    batchSize: BATCH_SIZE,
    timeout: Duration.minutes(1),
    environment: hasEffects ? { EFFECTS_ENDPOINT: app.node.getContext('effectsEndpoint') } : {},
    removalPolicy: RemovalPolicy.DESTROY,
    operations: false,
  });
}
