import { generateAuthToken } from 'aws-msk-iam-sasl-signer-js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { kafkaSecurity } from '../../../../shared/adapters/kafka/kafka-security.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

describe('a connection to the brokers', () => {
  test('is plaintext without authentication, encrypted with TLS', async () => {
    expect(await kafkaSecurity({ auth: 'none' })).toEqual({ ssl: false });
    expect(await kafkaSecurity({ auth: 'tls' })).toEqual({ ssl: true });
  });

  test('proves itself to MSK with a token signed for the region by the function’s own credentials', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_SESSION_TOKEN', 'session');

    const { ssl, sasl } = await kafkaSecurity({ auth: 'iam', region: 'eu-central-1' });
    const token = sasl?.mechanism === 'oauthbearer' ? (await sasl.oauthBearerProvider()).value : '';
    const signed = new URL(Buffer.from(token, 'base64url').toString());

    expect(ssl).toBe(true);
    expect(signed.host).toBe('kafka.eu-central-1.amazonaws.com');
    expect(signed.searchParams.get('Action')).toBe('kafka-cluster:Connect');
    expect(signed.searchParams.get('X-Amz-Credential')).toMatch(
      /^AKIAEXAMPLE\/\d{8}\/eu-central-1\/kafka-cluster\/aws4_request$/,
    );
    expect(signed.searchParams.get('X-Amz-Security-Token')).toBe('session');
  });

  test('has the token that AWS’s own signer for MSK makes', async () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1), toFake: ['Date'] });
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret/+=');
    vi.stubEnv('AWS_SESSION_TOKEN', 'session/+=&');

    const { sasl } = await kafkaSecurity({ auth: 'iam', region: 'eu-central-1' });
    const ours = sasl?.mechanism === 'oauthbearer' ? (await sasl.oauthBearerProvider()).value : '';
    const { token: theirs } = await generateAuthToken({ region: 'eu-central-1' });

    const partsOf = (token: string) => {
      const url = new URL(Buffer.from(token, 'base64url').toString());
      // Not signed: who made it.
      url.searchParams.delete('User-Agent');
      return [url.origin, url.pathname, [...url.searchParams].sort()];
    };
    expect(partsOf(ours)).toEqual(partsOf(theirs));
    expect(partsOf(ours)[2]).toContainEqual(['X-Amz-Expires', '900']);
  });
});
