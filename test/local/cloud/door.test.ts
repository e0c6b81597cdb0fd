import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientConfig, type LocalEndpoint, type RootCredentials } from '../../../infra/local/local-endpoint.ts';
import { type MiniStack, startMiniStack } from '../../../infra/local/ministack.ts';

let miniStack: MiniStack;
let endpoint: LocalEndpoint;

beforeAll(async () => {
  miniStack = await startMiniStack();
  endpoint = miniStack.endpoint;
});

afterAll(() => miniStack?.stop());

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Sends a request as it is. */
function send({ method = 'POST', path = '/', headers = {}, body = '' }: Sent): Promise<Answer> {
  const { hostname: host, port } = new URL(endpoint.url);
  const ca = readFileSync(endpoint.certificateFile);
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, method, path, headers, ca, agent: false, servername: 'localhost' }, (answer) => {
      let text = '';
      answer.on('data', (part) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const LIST_TABLES = '{"Limit":1}';

interface Signing {
  readonly credentials: RootCredentials;
  readonly host?: string;
  readonly at?: Date;
  readonly bodyThatIsSigned?: string;
}

/** Headers of a `ListTables` request to DynamoDB, signed by hand. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html */
function signed({ credentials, host, at = new Date(), bodyThatIsSigned = LIST_TABLES }: Signing) {
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    host: host ?? new URL(endpoint.url).host,
    'x-amz-date': time,
    'x-amz-target': 'DynamoDB_20120810.ListTables',
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = ['POST', '/', '', lines.join(''), names, hash(bodyThatIsSigned)].join('\n');
  const scope = `${day}/us-east-1/dynamodb/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, hash(canonical)].join('\n');
  let key = Buffer.from(`AWS4${credentials.secretAccessKey}`);
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

const ours = () => endpoint.credentials;

test('a request that is signed with the run’s credentials is carried out, and no web page may read its answer', async () => {
  const answer = await send({ headers: signed({ credentials: ours() }), body: LIST_TABLES });

  expect(answer).toMatchObject({ status: 200, body: expect.stringContaining('TableNames') });
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
});

test('the account’s root is who has these credentials', async () => {
  const sts = new STSClient(clientConfig(endpoint));
  expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: '000000000000' });
  sts.destroy();
});

describe('is refused', () => {
  const wrong = 'The request signature we calculated does not match';

  test.each<[string, () => Sent, string]>([
    ['without a signature', () => ({ headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables' } }), 'is not signed'],
    [
      'a signature of zeros',
      () => {
        const headers = signed({ credentials: ours() });
        return { headers: { ...headers, authorization: headers.authorization.replace(/[0-9a-f]{64}$/, '00') } };
      },
      wrong,
    ],
    [
      'a signature with another secret',
      () => ({ headers: signed({ credentials: { ...ours(), secretAccessKey: 'another' } }) }),
      wrong,
    ],
    ...['test', '000000000000', '123456789012', 'AKIAUNKNOWN000000000', ''].map(
      (accessKeyId): [string, () => Sent, string] => [
        `the access key \`${accessKeyId}\`, whatever its secret`,
        () => ({ headers: signed({ credentials: { accessKeyId, secretAccessKey: 'test' } }) }),
        'The local cloud refuses: ',
      ],
    ),
    [
      'a body other than the one that was signed',
      () => ({ headers: signed({ credentials: ours(), bodyThatIsSigned: '{}' }) }),
      wrong,
    ],
    [
      'a body whose hash the header misstates',
      () => ({
        headers: {
          ...signed({ credentials: ours() }),
          'x-amz-content-sha256': createHash('sha256').update('{}').digest('hex'),
        },
      }),
      'the body is not what was signed',
    ],
    ['a body left out of the signature', () => unsignedBody(), 'the body is not what was signed'],
    [
      'a signature of an hour ago',
      () => ({ headers: signed({ credentials: ours(), at: new Date(Date.now() - 3_600_000) }) }),
      'Signature expired',
    ],
    [
      'a session token with the root’s key',
      () => ({ headers: { ...signed({ credentials: ours() }), 'x-amz-security-token': 'token' } }),
      'no session token',
    ],
    [
      'another scheme',
      () => ({ headers: { ...signed({ credentials: ours() }), authorization: `AWS ${ours().accessKeyId}:x` } }),
      'is not signed with AWS4-HMAC-SHA256',
    ],
    [
      'a foreign host, though it is signed (DNS rebinding)',
      () => ({ headers: signed({ credentials: ours(), host: 'evil.example' }) }),
      'for another host',
    ],
    [
      'a host that begins as ours',
      () => ({ headers: signed({ credentials: ours(), host: 'localhost.evil.example:443' }) }),
      'for another host',
    ],
    [
      'a host of a bucket',
      () => ({ headers: signed({ credentials: ours(), host: 'bucket.s3.localhost' }) }),
      'for another host',
    ],
    [
      'a foreign origin',
      () => ({ headers: { ...signed({ credentials: ours() }), origin: 'https://evil.example' } }),
      'from a web page',
    ],
    [
      'its own origin',
      () => ({ headers: { ...signed({ credentials: ours() }), origin: endpoint.url } }),
      'from a web page',
    ],
    [
      'a preflight',
      () => ({
        method: 'OPTIONS',
        body: '',
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      }),
      'from a web page',
    ],
    ...[
      ['POST', '/_ministack/reset'],
      ['POST', '/_ministack/config'],
      ['GET', '/_ministack/health'],
      ['GET', '/_ministack/sqs/messages'],
      ['GET', '/_ministack/lambda-code/orders'],
      ['POST', '/_ministack/ready'],
      ['POST', '//_ministack/reset'],
      ['POST', '/_MINISTACK/reset'],
      ['GET', '/_localstack/health'],
      ['GET', '/health'],
      ['GET', '/_aws/execute-api/x'],
    ].map(([method = '', path = '']): [string, () => Sent, string] => [
      `${method} ${path}, signed or not`,
      () => ({ method, path, headers: signed({ credentials: ours() }), body: '' }),
      'the administration of the emulator is closed',
    ]),
    [
      'a presigned URL with another secret',
      () => ({
        method: 'GET',
        body: '',
        path: `/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${ours().accessKeyId}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=604800000&X-Amz-SignedHeaders=host&X-Amz-Signature=00`,
      }),
      wrong,
    ],
  ])('%s', async (_name, sent, says) => {
    const answer = await send({ body: LIST_TABLES, ...sent() });

    expect(answer.status).toBe(403);
    expect(answer.body).toContain(says);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  function unsignedBody(): Sent {
    return { headers: { ...signed({ credentials: ours() }), 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } };
  }
});

test('readiness can be asked for without credentials', async () => {
  expect(await send({ method: 'GET', path: '/_ministack/ready' })).toMatchObject({ status: 200 });
});

test('the secret of the run is in no file of its folder and in no command line', async () => {
  const { secretAccessKey } = endpoint.credentials;
  expect(secretAccessKey).toHaveLength(40);
  expect(readFileSync(miniStack.logFile, 'utf8')).not.toContain(secretAccessKey);
});
