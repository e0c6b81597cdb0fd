import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { KafkaCluster } from './kafka-cluster.ts';

/**
 * Permission to read the secrets with the Kafka credentials, and with the certificate of the brokers' authority. The mapping, the
 * function, the relay and the operator function share it.
 */
export function credentialGrants({ auth, rootCertificate }: KafkaCluster): PolicyStatement[] {
  if (typeof auth !== 'object') return [];
  const { secret, encryptionKey } = auth;
  return [
    new PolicyStatement({
      sid: 'ReadCredentials',
      actions: ['secretsmanager:GetSecretValue'],
      resources: [secret, ...(rootCertificate ? [rootCertificate] : [])].map(arnOf),
    }),
    ...(encryptionKey === undefined
      ? []
      : [
          new PolicyStatement({
            sid: 'DecryptCredentials',
            actions: ['kms:Decrypt'],
            resources: [encryptionKey.keyArn],
          }),
        ]),
  ];
}

/**
 * Imported by name or partial ARN, a secret lacks the six characters that Secrets Manager appends.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html#iam-resources
 */
function arnOf({ secretFullArn, secretArn }: ISecret): string {
  return secretFullArn ?? `${secretArn}-??????`;
}
