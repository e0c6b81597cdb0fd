import { App } from 'aws-cdk-lib';
import { ClusterStack } from './cluster-stack.ts';
import type { KafkaCluster } from './constructs/kafka-cluster.ts';
import { OrdersStack } from './orders-stack.ts';
import { givenCluster } from './stage-cluster.ts';
import { type StageConfig, stageConfig } from './stage-config.ts';

const app = new App();
const context = (name: string): unknown => app.node.tryGetContext(name);
const config = stageConfig({
  stage: context('stage'),
  clusterArn: context('clusterArn'),
  creditCheckUrl: context('creditCheckUrl'),
  region: context('region'),
  alarmEmail: context('alarmEmail'),
});
const env = config.cluster.type === 'new' ? { region: config.cluster.region } : {};

new OrdersStack(app, `Lockstep-Orders-${config.stage}`, { env, config, cluster: clusterOf(config) });

function clusterOf({ stage, cluster }: StageConfig): KafkaCluster {
  return cluster.type === 'new'
    ? new ClusterStack(app, `Lockstep-Kafka-${stage}`, { env, cluster }).cluster
    : givenCluster(cluster);
}
