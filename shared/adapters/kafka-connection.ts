import type { KafkaAuth } from '../environment.ts';
import { LockstepError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/telemetry.ts';

/** What is needed to reach the brokers. */
export interface KafkaConnectionOptions {
  /** `host:port`, separated by commas, as the event has them: asked for with each new connection. */
  readonly brokers: () => string;
  readonly authentication: KafkaAuthentication;
  readonly clock: Clock;
  readonly log: Log;
  /** Named in the broker's logs and quotas. @default 'lockstep' */
  readonly clientId?: string;
  /** Milliseconds until a connection must stand. @default CONNECT_TIMEOUT_MS */
  readonly connectTimeoutMs?: number;
  /** Milliseconds until a request must be answered; then its connection is taken for dead. @default REQUEST_TIMEOUT_MS */
  readonly requestTimeoutMs?: number;
  /**
   * Milliseconds for which brokers are asked again though none answers, a quarter of the time left at most: a broker that is
   * restarted gets the letter, and no relay is needed. @default 0: each is asked once, one of them twice
   */
  readonly outagePatienceMs?: number;
}

/** @default 3,000: kafkajs's own 1 second is short for TLS to another zone */
export const CONNECT_TIMEOUT_MS = 3_000;
/** @default 5,000 */
export const REQUEST_TIMEOUT_MS = 5_000;
/** {@link KafkaConnectionOptions.outagePatienceMs} of a deployed function. */
export const OUTAGE_PATIENCE_MS = 15_000;

/** How the function proves who it is. */
export interface KafkaAuthentication {
  readonly auth: KafkaAuth;
  /** Region of the cluster; with `iam` and `scram`. */
  readonly region?: string | undefined;
  /** Secrets Manager ARN of `{ "username", "password" }`; with `scram`. */
  readonly scramSecretArn?: string | undefined;
}

/** TLS and SASL as kafkajs takes them. */
export interface KafkaSecurity {
  readonly ssl: boolean;
  readonly sasl?:
    | { readonly mechanism: 'oauthbearer'; readonly oauthBearerProvider: () => Promise<{ readonly value: string }> }
    | { readonly mechanism: 'scram-sha-512'; readonly username: string; readonly password: string };
}

/**
 * TLS and SASL for a new connection. `none`: plaintext; `tls`: encrypted, without a client identity; `iam`: a token signed here
 * for each connection, without a request; `scram`: the secret is read each time, so that a rotated one is known at once. Code
 * that only one of them needs is loaded only for it.
 *
 * @throws LockstepError BROKER_UNREACHABLE where the secret cannot be read or has no user name and password
 */
export async function kafkaSecurity(authentication: KafkaAuthentication): Promise<KafkaSecurity> {
  const { auth, region = '' } = authentication;
  switch (auth) {
    case 'none':
      return { ssl: false };
    case 'tls':
      return { ssl: true };
    case 'iam': {
      const { generateAuthToken } = await import('aws-msk-iam-sasl-signer-js');
      return {
        ssl: true,
        // https://docs.aws.amazon.com/msk/latest/developerguide/configure-clients-for-iam-access-control.html
        sasl: {
          mechanism: 'oauthbearer',
          oauthBearerProvider: async () => ({ value: (await generateAuthToken({ region })).token }),
        },
      };
    }
    case 'scram':
      return { ssl: true, sasl: { mechanism: 'scram-sha-512', ...(await scramSecret(authentication)) } };
  }
}

async function scramSecret({ scramSecretArn = '', region }: KafkaAuthentication) {
  const { SecretsManagerClient, GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({
    ...(region !== undefined && { region }),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
  });
  try {
    const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: scramSecretArn }));
    return credentialsOf(SecretString, scramSecretArn);
  } catch (cause) {
    if (cause instanceof LockstepError) throw cause;
    throw new LockstepError('BROKER_UNREACHABLE', `the secret ${scramSecretArn} could not be read`, { cause });
  } finally {
    client.destroy();
  }
}

/** Reads `{ "username", "password" }`. The text is a secret: no error quotes it. */
export function credentialsOf(text: string, name: string): { readonly username: string; readonly password: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed === 'object' && parsed !== null && 'username' in parsed && 'password' in parsed) {
    const { username, password } = parsed;
    if (typeof username === 'string' && typeof password === 'string') return { username, password };
  }
  throw new LockstepError(
    'BROKER_UNREACHABLE',
    `expected the secret ${name} to be JSON with a username and a password`,
  );
}
