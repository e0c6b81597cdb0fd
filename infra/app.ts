import { App } from 'aws-cdk-lib';
import { stageConfig } from './stage-config.ts';
import { addStageStacks } from './stage-stacks.ts';

const app = new App();
const context = (name: string): unknown => app.node.tryGetContext(name);

addStageStacks(
  app,
  stageConfig({
    stage: context('stage'),
    clusterArn: context('clusterArn'),
    bootstrapServers: context('bootstrapServers'),
    creditCheckUrl: context('creditCheckUrl'),
    paymentApiUrl: context('paymentApiUrl'),
    region: context('region'),
    alarmEmail: context('alarmEmail'),
    encryptionKeyArn: context('encryptionKeyArn'),
    cluster: context('cluster'),
  }),
);
