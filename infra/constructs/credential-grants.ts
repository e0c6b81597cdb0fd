import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { KafkaAuthentication } from './kafka-cluster.ts';

/**
 * Permission to read the secret with the Kafka credentials. The mapping, the function, the relay and the operator function
 * share it.
 */
export function credentialGrants(auth: KafkaAuthentication): PolicyStatement[] {
  if (typeof auth !== 'object') return [];
  const { secret, encryptionKey } = auth;
  return [
    new PolicyStatement({
      sid: 'ReadCredentials',
      actions: ['secretsmanager:GetSecretValue'],
      // Imported by name or partial ARN, a secret lacks the six characters that Secrets Manager appends.
      // https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html#iam-resources
      resources: [secret.secretFullArn ?? `${secret.secretArn}-??????`],
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
