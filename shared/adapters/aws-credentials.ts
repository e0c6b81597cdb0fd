/** What a request to AWS is signed with. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * Credentials from the environment, where Lambda puts them. Anywhere else (a container, a profile, single sign-on) the AWS SDK
 * looks for them; its code is loaded only then, so that a cold start does not pay for it.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export function ambientCredentials(): () => Promise<AwsCredentials> {
  let elsewhere: Promise<() => Promise<AwsCredentials>> | undefined;
  return async () => {
    const accessKeyId = process.env['AWS_ACCESS_KEY_ID'];
    const secretAccessKey = process.env['AWS_SECRET_ACCESS_KEY'];
    if (accessKeyId && secretAccessKey) {
      const sessionToken = process.env['AWS_SESSION_TOKEN'];
      return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
    }
    elsewhere ??= import('@aws-sdk/credential-provider-node').then(({ defaultProvider }) => defaultProvider());
    return (await elsewhere)();
  };
}
