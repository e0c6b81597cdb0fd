import { CreateClusterCommand, KafkaClient } from '@aws-sdk/client-kafka';
import { clientConfig, type LocalEndpoint } from './local-endpoint.ts';

/**
 * Makes a cluster in the emulated MSK API, so that stacks have an ARN. Its brokers are those with which MiniStack was started.
 *
 * @returns its ARN
 */
export async function createCluster(endpoint: LocalEndpoint, name = 'lockstep'): Promise<string> {
  const msk = new KafkaClient(clientConfig(endpoint));
  const { ClusterArn } = await msk.send(
    new CreateClusterCommand({
      ClusterName: name,
      KafkaVersion: '4.1.0',
      NumberOfBrokerNodes: 1,
      BrokerNodeGroupInfo: { InstanceType: 'kafka.m7g.large', ClientSubnets: ['subnet-0123456789abcdef0'] },
    }),
  );
  msk.destroy();
  if (ClusterArn === undefined) throw new Error('the MSK API made a cluster without an ARN');
  return ClusterArn;
}
