import type { KafkaCluster } from './constructs/kafka-cluster.ts';
import type { StageConfig } from './stage-config.ts';

/** A cluster that the stage does not make itself. */
export type GivenCluster = Exclude<StageConfig['cluster'], { readonly type: 'new' }>;

/** What constructs need to know of it. */
export function givenCluster(cluster: GivenCluster): KafkaCluster {
  return cluster.type === 'loopback'
    ? {
        clusterArn: cluster.clusterArn,
        auth: 'none',
        topics: 'elsewhere',
        ...(cluster.bootstrapServers !== undefined && { bootstrapServers: cluster.bootstrapServers }),
      }
    : {
        clusterArn: cluster.clusterArn,
        vpcId: cluster.vpcId,
        subnetIds: cluster.subnetIds,
        securityGroupIds: cluster.securityGroupIds,
        auth: cluster.auth,
      };
}
