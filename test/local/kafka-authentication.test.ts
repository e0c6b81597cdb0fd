import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { logLevel } from 'kafkajs';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../../infra/local/certificate.ts';
import { runConsumers } from '../../infra/local/consumers.ts';
import { openStacks } from '../../infra/local/deploy-stacks.ts';
import { setFunction } from '../../infra/local/function-settings.ts';
import { clientConfig } from '../../infra/local/local-endpoint.ts';
import { kafkaJsClient } from '../../shared/adapters/kafka/kafkajs-client.ts';
import { startCounterpart } from './consumer/counterpart.ts';
import { SCRAM_USER, type SecuredBroker, startSecuredBroker } from './fixtures/secured-broker.ts';
import { SECRETS, SELF_MANAGED_STACK, SELF_MANAGED_TOPIC } from './fixtures/self-managed-stack.ts';

const run = promisify(execFile);
const TOPIC = 'letters';
const ROOT = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:root-AbCdEf';
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
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { SecretId } = JSON.parse(Buffer.concat(chunks).toString());
      const certificate = readFileSync(broker.certificateFile, 'utf8');
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end(JSON.stringify({ SecretString: SecretId === ROOT ? JSON.stringify({ certificate }) : held }));
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
async function publish(brokers: string, auth: string, trust = broker.certificateFile, root = ''): Promise<unknown> {
  const script = join(import.meta.dirname, 'fixtures/publish-and-end.ts');
  const { stdout } = await run(
    process.execPath,
    [script, brokers, TOPIC, '8000', auth, SECRET, ...(root ? [root] : [])],
    {
      env: {
        PATH: process.env['PATH'],
        NODE_EXTRA_CA_CERTS: trust,
        AWS_ACCESS_KEY_ID: 'a',
        AWS_SECRET_ACCESS_KEY: 'b',
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsUrl,
      },
    },
  );
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

  test('encrypted with a certificate of a private authority, with a user name and a password of another mechanism', async () => {
    expect(await publish(broker.scram, 'scram-256', '', ROOT)).toEqual({ ...OUTCOME, end: 'acknowledged' });
    expect(await publish(broker.scram, 'plain', '', ROOT)).toEqual({ ...OUTCOME, end: 'acknowledged' });
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

test('a self-managed cluster, SASL over TLS: records are handled, dead-lettered and redriven by the handler that others have on MSK', async () => {
  // The local pollers read over the broker's plaintext listener; the functions over the encrypted one.
  const cloud = await openStacks({ ...inject('localCloud'), bootstrapServers: broker.plaintext }, [SELF_MANAGED_STACK]);
  const counterpart = await startCounterpart();
  onTestFinished(() => counterpart.stop());
  const config = clientConfig(cloud.endpoint);
  const lambda = new LambdaClient(config);
  const held = {
    [SECRETS.credentials]: SCRAM_USER,
    [SECRETS.root]: { certificate: readFileSync(broker.certificateFile, 'utf8') },
  };
  const secretsManager = new SecretsManagerClient(config);
  for (const [Name, content] of Object.entries(held))
    await secretsManager.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(content) }));
  const environment = { COUNTERPART_URL: counterpart.url, LOCKSTEP_BOOTSTRAP_SERVERS: broker.scram };
  for (const one of cloud.deployed.functions) await setFunction(cloud.endpoint, one, { environment });
  const ask = async (name: string, request: object) => {
    const FunctionName = cloud.deployed.functions.find((one) => one.name.includes(name))?.functionName;
    const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(request) }));
    const text = Buffer.from(answer.Payload ?? []).toString();
    expect(answer.FunctionError, text).toBeUndefined();
    return JSON.parse(text || 'null');
  };
  const running = await runConsumers(cloud);
  onTestFinished(() => running.stop());
  const producer = kafkaJsClient({ brokers: [broker.plaintext], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  counterpart.answer(({ id }) => (id === 'bad' ? 422 : 204));

  await producer.send({
    topic: SELF_MANAGED_TOPIC,
    messages: [{ value: 'good' }, { value: 'bad' }, { value: 'last' }],
  });

  await expect.poll(() => counterpart.calls.map(({ id }) => id), { timeout: 180_000 }).toEqual(['good', 'bad', 'last']);
  expect(await ask('Operator', { type: 'letters', filter: {}, limit: 10 })).toMatchObject({
    letters: [{ origin: 'self-managed-0@1' }],
  });
  await ask('Relay', { type: 'sweep' });
  counterpart.answer(() => 204);
  await ask('Operator', { type: 'redrive', filter: {}, dryRun: false, by: 'ann' });
  await expect.poll(() => counterpart.calls.map(({ id }) => id).slice(3), { timeout: 180_000 }).toEqual(['bad']);
});
