import type { ConsumerEnvironment } from './environment.ts';

/**
 * Finds the brokers: those given to the construct, otherwise those that MSK names for the mapping's cluster. Never those that
 * an event names: whoever may invoke the function could name a host, and the function would send its credentials there.
 *
 * @throws LockstepError BROKER_UNREACHABLE where MSK does not name them
 */
export async function findBrokers(
  environment: Pick<ConsumerEnvironment, 'bootstrapServers' | 'clusterArn' | 'eventSourceArn' | 'kafkaAuth'>,
): Promise<string> {
  if (environment.bootstrapServers !== undefined) return environment.bootstrapServers;
  const { mskBootstrapBrokers } = await import('./adapters/kafka/msk-bootstrap-brokers.ts');
  return mskBootstrapBrokers(environment);
}
