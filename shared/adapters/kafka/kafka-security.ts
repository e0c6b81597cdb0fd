import type { ConsumerEnvironment, KafkaAuth } from '../../environment.ts';

/** How the function authenticates. */
export interface KafkaAuthentication {
  readonly auth: KafkaAuth;
  /** Region of the cluster and of its secrets. */
  readonly region?: string | undefined;
  /** Secrets Manager ARN of the credentials; with `scram`, `scram-256`, `plain` and `mtls`. */
  readonly kafkaSecretArn?: string | undefined;
  /** Secrets Manager ARN of the authority that signed the brokers' certificates. @default those that Node trusts */
  readonly kafkaRootArn?: string | undefined;
}

/** Of {@link ConsumerEnvironment}, what says how to authenticate. */
export type AuthenticationEnvironment = Pick<ConsumerEnvironment, 'kafkaAuth' | 'kafkaSecretArn' | 'kafkaRootArn'>;

/** How a function with this environment authenticates. @param region - of the cluster. @default AWS_REGION, which Lambda sets */
export function authenticationOf(
  { kafkaAuth: auth, kafkaSecretArn, kafkaRootArn }: AuthenticationEnvironment,
  region = process.env['AWS_REGION'],
): KafkaAuthentication {
  return { auth, kafkaSecretArn, kafkaRootArn, region };
}

/** TLS and SASL settings for kafkajs. */
export interface KafkaSecurity {
  readonly ssl:
    | boolean
    | { readonly ca: string }
    | { readonly ca?: string; readonly cert: string; readonly key: string; readonly passphrase?: string };
  readonly sasl?:
    | { readonly mechanism: 'oauthbearer'; readonly oauthBearerProvider: () => Promise<{ readonly value: string }> }
    | Password<(typeof MECHANISMS)[keyof typeof MECHANISMS]>;
}

/** A union with a member for each mechanism, as kafkajs declares it. */
type Password<M> = M extends string
  ? { readonly mechanism: M; readonly username: string; readonly password: string }
  : never;

/**
 * TLS and SASL for a new connection. `none`: plaintext. `tls`: encrypted, without a client identity. `iam`: a token that is
 * signed here for each connection, without a request. `scram`, `scram-256`, `plain`: user name and password. `mtls`: a client
 * certificate. A secret is read for each connection, so that a rotated one is used at once. Code that only one of them needs is
 * loaded only for it.
 *
 * @throws LockstepError BROKER_UNREACHABLE where the secret cannot be read or has other content
 */
export async function kafkaSecurity(given: KafkaAuthentication): Promise<KafkaSecurity> {
  const { ssl, ...security } = await ofKind(given);
  const { kafkaRootArn, region } = given;
  if (kafkaRootArn === undefined) return { ssl, ...security };
  const { rootCertificateOf, secretText } = await import('./kafka-secret.ts');
  const ca = rootCertificateOf(await secretText(kafkaRootArn, region), kafkaRootArn);
  return { ssl: { ...(typeof ssl === 'object' && ssl), ca }, ...security };
}

const MECHANISMS = { scram: 'scram-sha-512', 'scram-256': 'scram-sha-256', plain: 'plain' } as const;

async function ofKind({ auth, region, kafkaSecretArn = '' }: KafkaAuthentication): Promise<KafkaSecurity> {
  switch (auth) {
    case 'none':
      return { ssl: false };
    case 'tls':
      return { ssl: true };
    case 'iam': {
      const { mskIamToken } = await import('./msk-iam-token.ts');
      return {
        ssl: true,
        // https://docs.aws.amazon.com/msk/latest/developerguide/configure-clients-for-iam-access-control.html
        sasl: {
          mechanism: 'oauthbearer',
          oauthBearerProvider: async () => ({ value: await mskIamToken(region ?? '') }),
        },
      };
    }
    case 'scram':
    case 'scram-256':
    case 'plain': {
      const { passwordOf, secretText } = await import('./kafka-secret.ts');
      const password = passwordOf(await secretText(kafkaSecretArn, region), kafkaSecretArn);
      return { ssl: true, sasl: { mechanism: MECHANISMS[auth], ...password } };
    }
    case 'mtls': {
      const { certificateOf, secretText } = await import('./kafka-secret.ts');
      return { ssl: certificateOf(await secretText(kafkaSecretArn, region), kafkaSecretArn) };
    }
  }
}
