import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../infra/local/certificate.ts';
import { SCRAM_USER, type SecuredBroker, startSecuredBroker } from './fixtures/secured-broker.ts';

const run = promisify(execFile);
const TOPIC = 'letters';
const SECRET = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:AmazonMSK_lockstep-AbCdEf';

let broker: SecuredBroker;
let secrets: Server;
let secretsUrl: string;
/** What Secrets Manager holds. */
let held: string;

beforeEach(() => {
  held = JSON.stringify(SCRAM_USER);
});
beforeAll(async () => {
  broker = await startSecuredBroker(TOPIC);
  secrets = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end(JSON.stringify({ ARN: SECRET, Name: 'AmazonMSK_lockstep', SecretString: held }));
    });
  });
  await new Promise<void>((resolve) => secrets.listen(0, '127.0.0.1', resolve));
  const address = secrets.address();
  secretsUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(async () => {
  secrets?.close();
  await broker?.stop();
});

/** Publishes one letter in a process that trusts the broker's certificate, and says what came of it. */
async function publish(brokers: string, auth: string, trust = broker.certificateFile): Promise<unknown> {
  const script = join(import.meta.dirname, 'fixtures/publish-and-end.ts');
  const { stdout } = await run(process.execPath, [script, brokers, TOPIC, '8000', auth, SECRET], {
    env: {
      PATH: process.env['PATH'],
      NODE_EXTRA_CA_CERTS: trust,
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsUrl,
    },
  });
  return JSON.parse(stdout);
}

const OUTCOME = { timersWhileIdle: 0, left: [] };

describe('a letter reaches a broker', () => {
  test('encrypted', async () => {
    expect(await publish(broker.tls, 'tls')).toEqual({ ...OUTCOME, end: 'acknowledged' });
  });

  test('encrypted, with the user name and the password of a secret', async () => {
    expect(await publish(broker.scram, 'scram')).toEqual({ ...OUTCOME, end: 'acknowledged' });
  });

  test('encrypted, with the client certificate of a secret', async () => {
    held = JSON.stringify(broker.client);

    expect(await publish(broker.mtls, 'mtls')).toEqual({ ...OUTCOME, end: 'acknowledged' });
  });
});

describe('a letter is refused, and the process ends by itself, where', () => {
  test('we do not trust the certificate', async () => {
    expect(await publish(broker.tls, 'tls', '')).toEqual({ ...OUTCOME, end: 'BROKER_UNREACHABLE' });
  });

  test('the password is another', async () => {
    held = JSON.stringify({ ...SCRAM_USER, password: 'wrong' });

    expect(await publish(broker.scram, 'scram')).toEqual({ ...OUTCOME, end: 'BROKER_UNREACHABLE' });
  });

  test('the broker wants a password and gets none', async () => {
    expect(await publish(broker.scram, 'tls')).toEqual({ ...OUTCOME, end: 'BROKER_UNREACHABLE' });
  });

  test('the broker wants a certificate and gets none', async () => {
    expect(await publish(broker.mtls, 'tls')).toEqual({ ...OUTCOME, end: 'BROKER_UNREACHABLE' });
  });

  test('the broker does not trust the client certificate', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'untrusted-'));
    const { certificateFile, keyFile } = await makeCertificate(folder);
    held = JSON.stringify({
      certificate: readFileSync(certificateFile, 'utf8'),
      privateKey: readFileSync(keyFile, 'utf8'),
    });
    rmSync(folder, { recursive: true });

    expect(await publish(broker.mtls, 'mtls')).toEqual({ ...OUTCOME, end: 'BROKER_UNREACHABLE' });
  });

  test('the broker does not know IAM', async () => {
    expect(await publish(broker.scram, 'iam')).toEqual({ ...OUTCOME, end: 'BROKER_UNREACHABLE' });
  });
});
