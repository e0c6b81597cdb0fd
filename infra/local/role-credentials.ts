import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { clientConfig, type LocalEndpoint } from './local-endpoint.ts';

/** Credentials with a role's rights and no others, for an hour. */
export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** Assumes a function's role, as Lambda does. The emulator lets the account's root do so. */
export async function assumeRole(endpoint: LocalEndpoint, roleArn: string): Promise<RoleCredentials> {
  const sts = new STSClient(clientConfig(endpoint));
  const request = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'lockstep-local' });
  const { Credentials } = await sts.send(request).finally(() => sts.destroy());
  if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !Credentials.SessionToken) {
    throw new Error(`STS gave no credentials for ${roleArn}`);
  }
  return {
    accessKeyId: Credentials.AccessKeyId,
    secretAccessKey: Credentials.SecretAccessKey,
    sessionToken: Credentials.SessionToken,
    expiration: Credentials.Expiration ?? new Date(Date.now() + 3_600_000),
  };
}

/** A client for a queue, with a role's rights: Lambda delivers to destinations with the function's role. */
export async function sqsWithRoleOf(
  endpoint: LocalEndpoint,
  roleArn: string,
  queueArn: string,
): Promise<{ readonly client: SQSClient; readonly queueUrl: string }> {
  const root = new SQSClient(clientConfig(endpoint));
  const QueueName = queueArn.slice(queueArn.lastIndexOf(':') + 1);
  const { QueueUrl: queueUrl = '' } = await root
    .send(new GetQueueUrlCommand({ QueueName }))
    .finally(() => root.destroy());
  // Asked again when they run out.
  const credentials = () => assumeRole(endpoint, roleArn);
  return { client: new SQSClient({ ...clientConfig(endpoint), credentials }), queueUrl };
}
