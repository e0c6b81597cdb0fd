import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { KafkaAuthentication } from './kafka-cluster.ts';

/** To read the secret with which one proves to the brokers who one is: mapping, function and relay and operator functions share it. */
export function credentialGrants(auth: KafkaAuthentication): PolicyStatement[] {
  if (typeof auth !== 'object') return [];
  const { secret, encryptionKey } = auth;
  return [
    new PolicyStatement({
      sid: 'ReadCredentials',
      actions: ['secretsmanager:GetSecretValue'],
      resources: [secret.secretArn],
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
