import type { App } from 'aws-cdk-lib';
import { ClusterStack } from './cluster-stack.ts';
import type { KafkaCluster } from './constructs/kafka-cluster.ts';
import { OrdersStack } from './orders-stack.ts';
import { PatternsStack } from './patterns-stack.ts';
import { givenCluster } from './stage-cluster.ts';
import type { StageConfig } from './stage-config.ts';
import { StockStack } from './stock-stack.ts';
import { VerifyStack } from './verify-stack.ts';

/**
 * Puts the stacks of a stage into the app: the consumers, and the cluster where the stage makes its own. Stage `verify` has the
 * consumer of `lockstep verify` alone, stage `demo` those of `npm run demo`.
 */
export function addStageStacks(app: App, config: StageConfig): void {
  const props = { env: environment(config), config, cluster: clusterOf(app, config) };
  if (config.stage === 'verify') return void new VerifyStack(app, 'Lockstep-Verify', props);
  new OrdersStack(app, `Lockstep-Orders-${config.stage}`, props);
  new StockStack(app, `Lockstep-Stock-${config.stage}`, props);
  if (config.stage !== 'demo') new PatternsStack(app, `Lockstep-Patterns-${config.stage}`, props);
}

function clusterOf(app: App, config: StageConfig): KafkaCluster {
  const { stage, cluster } = config;
  if (cluster.type !== 'new') return givenCluster(cluster);
  const { encryptionKeyArn } = config;
  const key = encryptionKeyArn === undefined ? {} : { encryptionKeyArn };
  return new ClusterStack(app, `Lockstep-Kafka-${stage}`, { env: environment(config), cluster, ...key }).cluster;
}

/** No account: nothing is looked up, so synth needs no credentials. */
function environment({ cluster }: StageConfig): { readonly region?: string } {
  return cluster.type === 'new' ? { region: cluster.region } : {};
}
