import type { ConsumerEnvironment } from './environment.ts';

/**
 * Where the brokers are: what the construct was told, else what MSK says of the mapping's own cluster. Never what an event says:
 * whoever may invoke the function could name a host, and the function would sign in to it.
 *
 * @throws LockstepError BROKER_UNREACHABLE where MSK does not say
 */
export async function findBrokers(
  environment: Pick<ConsumerEnvironment, 'bootstrapServers' | 'clusterArn' | 'eventSourceArn' | 'kafkaAuth'>,
): Promise<string> {
  if (environment.bootstrapServers !== undefined) return environment.bootstrapServers;
  const { mskBootstrapBrokers } = await import('./adapters/kafka/msk-bootstrap-brokers.ts');
  return mskBootstrapBrokers(environment);
}
