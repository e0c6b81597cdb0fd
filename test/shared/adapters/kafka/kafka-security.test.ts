import { afterEach, describe, expect, test, vi } from 'vitest';
import { kafkaSecurity } from '../../../../shared/adapters/kafka/kafka-security.ts';

afterEach(() => vi.unstubAllEnvs());

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
});
