import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../../../infra/local/certificate.ts';
import { requireOpenssl } from '../../../../infra/local/requirements.ts';
import { certificateOf, passwordOf } from '../../../../shared/adapters/kafka/kafka-secret.ts';

describe('the secret of a SCRAM user', () => {
  test('is JSON with a username and a password', () => {
    expect(passwordOf('{"username":"u","password":"p","more":1}', 'AmazonMSK_x')).toEqual({
      username: 'u',
      password: 'p',
    });
  });

  test.each(['', 'u:p', '[]', 'null', '{"username":"u"}', '{"username":"u","password":7}'])(
    'is refused as %j, without being quoted',
    (text) => {
      expect(() => passwordOf(text, 'AmazonMSK_x')).toThrow(
        'BROKER_UNREACHABLE: expected the secret AmazonMSK_x to be JSON with a username and a password. ',
      );
    },
  );
});

describe('the secret of a client with a certificate', () => {
  const folders: string[] = [];
  let certificate: string;
  let privateKey: string;
  let encryptedKey: string;
  let otherKey: string;

  async function makePair() {
    const folder = mkdtempSync(join(tmpdir(), 'kafka-secret-'));
    folders.push(folder);
    const { certificateFile, keyFile } = await makeCertificate(folder);
    return {
      keyFile,
      certificate: readFileSync(certificateFile, 'utf8'),
      privateKey: readFileSync(keyFile, 'utf8'),
    };
  }

  beforeAll(async () => {
    const pair = await makePair();
    ({ certificate, privateKey } = pair);
    ({ privateKey: otherKey } = await makePair());
    // Of PBES1, which is all that the mapping reads, what OpenSSL 3 still reads too.
    const encrypt = ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES', '-passout', 'pass:open sesame', '-in', pair.keyFile];
    encryptedKey = (await promisify(execFile)(await requireOpenssl(), encrypt)).stdout;
  });
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  test('is JSON with the certificate and its key', () => {
    expect(certificateOf(JSON.stringify({ certificate, privateKey, more: 1 }), 'client')).toEqual({
      cert: certificate,
      key: privateKey,
    });
  });

  test('has the password of an encrypted key', () => {
    const text = JSON.stringify({ certificate, privateKey: encryptedKey, privateKeyPassword: 'open sesame' });

    expect(certificateOf(text, 'client')).toEqual({ cert: certificate, key: encryptedKey, passphrase: 'open sesame' });
  });

  test('may hold a chain, the client’s own certificate first', async () => {
    const chain = certificate + (await makePair()).certificate;

    expect(certificateOf(JSON.stringify({ certificate: chain, privateKey }), 'client')).toMatchObject({ cert: chain });
  });

  test.each(['', 'null', '{"certificate":"c"}', '{"privateKey":"k"}', '{"certificate":"c","privateKey":7}'])(
    'is refused as %j',
    (text) => {
      expect(() => certificateOf(text, 'client')).toThrow(
        'BROKER_UNREACHABLE: expected the secret client to be JSON with a certificate and a privateKey, and a',
      );
    },
  );

  test.each([
    ['the key of another certificate', () => ({ certificate, privateKey: otherKey })],
    ['a certificate that is none', () => ({ certificate: 'PEM', privateKey })],
    ['an encrypted key without its password', () => ({ certificate, privateKey: encryptedKey })],
    ['a wrong password', () => ({ certificate, privateKey: encryptedKey, privateKeyPassword: 'open barley' })],
  ])('is refused with %s, before a broker is asked, and without being quoted', (_, held) => {
    expect(() => certificateOf(JSON.stringify(held()), 'client')).toThrow(
      'BROKER_UNREACHABLE: expected the secret client to be a certificate and its privateKey in PEM, and the',
    );
  });
});
