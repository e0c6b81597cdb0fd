import { GetBootstrapBrokersCommand, type GetBootstrapBrokersResponse, KafkaClient } from '@aws-sdk/client-kafka';
import type { ConsumerEnvironment, KafkaAuth } from '../../environment.ts';
import { LockstepError } from '../../errors.ts';

/**
 * Asks MSK for the brokers. In a VPC without NAT that needs an interface endpoint for `kafka`. Brokers of another account are
 * reached only by the addresses of the VPC connection that the mapping reads.
 * https://docs.aws.amazon.com/msk/1.0/apireference/clusters-clusterarn-bootstrap-brokers.html
 *
 * @throws LockstepError BROKER_UNREACHABLE
 */
export async function mskBootstrapBrokers({
  clusterArn,
  eventSourceArn,
  kafkaAuth: auth,
}: Pick<ConsumerEnvironment, 'clusterArn' | 'eventSourceArn' | 'kafkaAuth'>): Promise<string> {
  const client = new KafkaClient({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
  });
  try {
    const answer = await client.send(new GetBootstrapBrokersCommand({ ClusterArn: clusterArn }));
    const connected = eventSourceArn !== clusterArn;
    const brokers = connected ? serversOfConnection(auth, answer) : serversFor(auth, answer);
    if (!brokers)
      throw new Error(`MSK names no brokers for authentication ${auth}${connected ? ' over a VPC connection' : ''}`);
    return brokers;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LockstepError('BROKER_UNREACHABLE', `MSK did not name the brokers of ${clusterArn}: ${why}`, {
      cause,
    });
  } finally {
    client.destroy();
  }
}

function serversFor(auth: KafkaAuth, answer: GetBootstrapBrokersResponse): string | undefined {
  switch (auth) {
    case 'iam':
      return answer.BootstrapBrokerStringSaslIam;
    case 'scram':
      return answer.BootstrapBrokerStringSaslScram;
    // Both use the same port: https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html
    case 'mtls':
    case 'tls':
      return answer.BootstrapBrokerStringTls;
    case 'none':
      return answer.BootstrapBrokerString;
    // A cluster on MSK has neither.
    case 'scram-256':
    case 'plain':
      return undefined;
  }
}

/** https://docs.aws.amazon.com/msk/latest/developerguide/aws-access-mult-vpc.html */
function serversOfConnection(auth: KafkaAuth, answer: GetBootstrapBrokersResponse): string | undefined {
  switch (auth) {
    case 'iam':
      return answer.BootstrapBrokerStringVpcConnectivitySaslIam;
    case 'scram':
      return answer.BootstrapBrokerStringVpcConnectivitySaslScram;
    case 'mtls':
    case 'tls':
      return answer.BootstrapBrokerStringVpcConnectivityTls;
    case 'none':
    case 'scram-256':
    case 'plain':
      return undefined;
  }
}
