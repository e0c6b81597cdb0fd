import { GetBootstrapBrokersCommand, type GetBootstrapBrokersResponse, KafkaClient } from '@aws-sdk/client-kafka';
import type { KafkaAuth } from '../../environment.ts';
import { LockstepError } from '../../errors.ts';

/**
 * Asks MSK where the brokers are: for functions that no mapping tells. From a VPC without NAT that takes an interface endpoint
 * for `kafka`. https://docs.aws.amazon.com/msk/1.0/apireference/clusters-clusterarn-bootstrap-brokers.html
 *
 * @throws LockstepError BROKER_UNREACHABLE
 */
export async function mskBootstrapBrokers(clusterArn: string, auth: KafkaAuth): Promise<string> {
  const client = new KafkaClient({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
  });
  try {
    const brokers = serversFor(auth, await client.send(new GetBootstrapBrokersCommand({ ClusterArn: clusterArn })));
    if (!brokers) throw new Error(`MSK names no brokers for authentication ${auth}`);
    return brokers;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LockstepError('BROKER_UNREACHABLE', `the brokers of ${clusterArn} could not be asked for: ${why}`, {
      cause,
    });
  } finally {
    client.destroy();
  }
}

function serversFor(auth: KafkaAuth, answer: GetBootstrapBrokersResponse): string | undefined {
  switch (auth) {
    case 'iam':
      return answer.BootstrapBrokerStringSaslIam ?? answer.BootstrapBrokerStringVpcConnectivitySaslIam;
    case 'scram':
      return answer.BootstrapBrokerStringSaslScram ?? answer.BootstrapBrokerStringVpcConnectivitySaslScram;
    // Both on the same port: https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html
    case 'mtls':
    case 'tls':
      return answer.BootstrapBrokerStringTls ?? answer.BootstrapBrokerStringVpcConnectivityTls;
    case 'none':
      return answer.BootstrapBrokerString;
  }
}
