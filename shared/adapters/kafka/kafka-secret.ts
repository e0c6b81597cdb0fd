import { createPrivateKey, X509Certificate } from 'node:crypto';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { LockstepError } from '../../errors.ts';

/** The text that Secrets Manager has under the ARN. @throws LockstepError BROKER_UNREACHABLE where it cannot be read */
export async function secretText(arn: string, region: string | undefined): Promise<string> {
  const client = new SecretsManagerClient({
    ...(region !== undefined && { region }),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
  });
  try {
    const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
    return SecretString;
  } catch (cause) {
    throw new LockstepError('BROKER_UNREACHABLE', `the secret ${arn} could not be read`, { cause });
  } finally {
    client.destroy();
  }
}

/** Reads `{ "username", "password" }`. The text is a secret: no error quotes it. @throws LockstepError BROKER_UNREACHABLE */
export function passwordOf(text: string, name: string): { readonly username: string; readonly password: string } {
  const { username, password } = strings(text);
  if (username !== undefined && password !== undefined) return { username, password };
  throw unusable(name, 'JSON with a username and a password');
}

/**
 * Reads `{ "certificate", "privateKey", "privateKeyPassword" }`. The password is needed only for an encrypted key. The text is
 * a secret: no error quotes it. https://docs.aws.amazon.com/lambda/latest/dg/kafka-cluster-auth.html#smaa-auth-secret
 *
 * @throws LockstepError BROKER_UNREACHABLE before a connection is made, where they are not a certificate and its key
 */
export function certificateOf(
  text: string,
  name: string,
): { readonly cert: string; readonly key: string; readonly passphrase?: string } {
  const { certificate: cert, privateKey: key, privateKeyPassword: passphrase } = strings(text);
  if (cert === undefined || key === undefined) {
    throw unusable(name, 'JSON with a certificate and a privateKey, and a privateKeyPassword where that is encrypted');
  }
  const found = { cert, key, ...(passphrase !== undefined && { passphrase }) };
  if (!belongTogether(found)) {
    throw unusable(name, 'a certificate and its privateKey in PEM, and the privateKeyPassword where that is encrypted');
  }
  return found;
}

/**
 * Reads `{ "certificate" }`: of the authority that signed the brokers' certificates.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-cluster-auth.html#smaa-auth-ca-cert
 *
 * @throws LockstepError BROKER_UNREACHABLE before a connection is made
 */
export function rootCertificateOf(text: string, name: string): string {
  const { certificate = '' } = strings(text);
  try {
    new X509Certificate(certificate);
    return certificate;
  } catch {
    throw unusable(name, 'JSON with a certificate in PEM');
  }
}

function belongTogether({ cert, ...key }: { cert: string; key: string; passphrase?: string }): boolean {
  try {
    // The first certificate of a chain is the client's own.
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey({ ...key, format: 'pem' }));
  } catch {
    // OpenSSL's message names single bytes. It does not help the operator, and may show parts of the secret.
    return false;
  }
}

/** The members that are strings. */
function strings(text: string): Readonly<Record<string, string | undefined>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null) return {};
  return Object.fromEntries(Object.entries(parsed).filter(([, value]) => typeof value === 'string'));
}

function unusable(name: string, expected: string): LockstepError {
  return new LockstepError('BROKER_UNREACHABLE', `expected the secret ${name} to be ${expected}`);
}
