import { App } from 'aws-cdk-lib';
import { OrdersStack } from './orders-stack.ts';
import { givenCluster } from './stage-cluster.ts';
import { stageConfig } from './stage-config.ts';

const app = new App();
const context = (name: string): unknown => app.node.tryGetContext(name);
const config = stageConfig({
  stage: context('stage'),
  clusterArn: context('clusterArn'),
  creditCheckUrl: context('creditCheckUrl'),
  region: context('region'),
  alarmEmail: context('alarmEmail'),
});

if (config.cluster.type !== 'new') {
  new OrdersStack(app, `Lockstep-Orders-${config.stage}`, { config, cluster: givenCluster(config.cluster) });
}
