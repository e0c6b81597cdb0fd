/** The CDK app that a run of the local suites deploys, once: the local stage, and a consumer for whatever a suite looks at. */
import { App } from 'aws-cdk-lib';
import { stageConfig } from '../../../infra/stage-config.ts';
import { addStageStacks } from '../../../infra/stage-stacks.ts';
import { VerifyStack } from '../../../infra/verify-stack.ts';
import { AlarmsStack, RelayAlarmsStack } from '../alarms/fixtures/alarms-stack.ts';
import { CloudStack } from '../cloud/fixtures/cloud-stack.ts';
import { ConsumersStack } from '../consumer/fixtures/consumers-stack.ts';
import { SelfManagedStack } from '../fixtures/self-managed-stack.ts';
import { OPERATED, OperatedStack } from '../relay/fixtures/operated-stack.ts';
import { UpdatesStack } from '../updates/fixtures/updates-stack.ts';

const app = new App();
const clusterArn: string = app.node.getContext('clusterArn');
const bootstrapServers: string = app.node.getContext('bootstrapServers');
const cluster = { clusterArn, bootstrapServers, auth: 'none', topics: 'elsewhere' } as const;

const local = stageConfig({
  stage: 'local',
  clusterArn,
  bootstrapServers,
  creditCheckUrl: undefined,
  region: undefined,
  alarmEmail: undefined,
});
addStageStacks(app, local);
new VerifyStack(app, 'Lockstep-Verify', { config: local, cluster });
new ConsumersStack(app, cluster);
for (const operated of OPERATED) new OperatedStack(app, cluster, operated);
new AlarmsStack(app, cluster);
new RelayAlarmsStack(app, cluster);
new CloudStack(app, cluster);
new SelfManagedStack(app);
new UpdatesStack(app, cluster, { version: 'v1', batchSize: 5 });
