import type { KafkaAuth } from '../../environment.ts';

/** How the function authenticates. */
export interface KafkaAuthentication {
  readonly auth: KafkaAuth;
  /** Region of the cluster and of its secret; with `iam`, `scram` and `mtls`. */
  readonly region?: string | undefined;
  /** Secrets Manager ARN of the credentials; with `scram` and `mtls`. */
  readonly kafkaSecretArn?: string | undefined;
}

/** TLS and SASL settings for kafkajs. */
export interface KafkaSecurity {
  readonly ssl: boolean | { readonly cert: string; readonly key: string; readonly passphrase?: string };
  readonly sasl?:
    | { readonly mechanism: 'oauthbearer'; readonly oauthBearerProvider: () => Promise<{ readonly value: string }> }
    | { readonly mechanism: 'scram-sha-512'; readonly username: string; readonly password: string };
}

/**
 * TLS and SASL for a new connection. `none`: plaintext. `tls`: encrypted, without a client identity. `iam`: a token that is
 * signed here for each connection, without a request. `scram`: user name and password. `mtls`: a client certificate. A secret
 * is read for each connection, so that a rotated one is used at once. Code that only one of them needs is loaded only for it.
 *
 * @throws LockstepError BROKER_UNREACHABLE where the secret cannot be read or has other content
 */
export async function kafkaSecurity({
  auth,
  region,
  kafkaSecretArn = '',
}: KafkaAuthentication): Promise<KafkaSecurity> {
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
    case 'scram': {
      const { passwordOf, secretText } = await import('./kafka-secret.ts');
      const password = passwordOf(await secretText(kafkaSecretArn, region), kafkaSecretArn);
      return { ssl: true, sasl: { mechanism: 'scram-sha-512', ...password } };
    }
    case 'mtls': {
      const { certificateOf, secretText } = await import('./kafka-secret.ts');
      return { ssl: certificateOf(await secretText(kafkaSecretArn, region), kafkaSecretArn) };
    }
  }
}
