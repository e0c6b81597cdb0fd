import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { type DynamoDb, dynamoDbClient } from '../../../shared/adapters/dynamodb-client.ts';
import { refusal, scriptedDynamoDb } from '../../fixtures/scripted-dynamodb.ts';

/** 2026-11-21 14:05 UTC */
const NOW = 1_795_269_900_000;
const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI', sessionToken: 'token' };

afterEach(() => vi.unstubAllEnvs());

async function listening(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : undefined}`;
}

function clientAt(endpoint: string, more: Parameters<typeof dynamoDbClient>[0] = {}): DynamoDb {
  const client = dynamoDbClient({ endpoint, region: 'eu-central-1', credentials: CREDENTIALS, ...more });
  onTestFinished(() => client.destroy());
  return client;
}

test('puts the keys of a batch of a hundred side by side: none waits for the answer to another', async () => {
  const waiting: ServerResponse[] = [];
  const endpoint = await listening((request, response) => {
    request.resume();
    waiting.push(response);
  });
  const client = clientAt(endpoint, { requestTimeoutMs: 30_000, connectionTimeoutMs: 30_000 });

  const puts = Array.from({ length: 100 }, (_, index) =>
    client.send('PutItem', { TableName: 'keys', Item: { pk: { S: `key-${index}` } } }),
  );
  // No answer is given before all have asked.
  await expect.poll(() => waiting.length, { timeout: 20_000 }).toBe(100);
  for (const response of waiting) response.end('{}');

  await Promise.all(puts);
}, 30_000);

test('signs as the AWS SDK does', async () => {
  const seen: { headers: Record<string, string>; body: string }[] = [];
  const endpoint = await listening(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(chunks).toString() });
    response.end('{}');
  });

  await clientAt(endpoint, { clock: { now: () => NOW } }).send('GetItem', {
    TableName: 'keys',
    Key: { pk: { S: 'ë' } },
  });

  const { authorization, connection: _, ...signed } = seen[0]?.headers ?? {};
  const theirs = new SignatureV4({
    service: 'dynamodb',
    region: 'eu-central-1',
    credentials: CREDENTIALS,
    sha256: Sha256,
    applyChecksum: false,
  });
  const { hostname, port } = new URL(endpoint);
  const request = { method: 'POST', protocol: 'http:', hostname, port: Number(port), path: '/', query: {} };
  const resigned = await theirs.sign(
    { ...request, headers: signed, body: seen[0]?.body },
    { signingDate: new Date(NOW) },
  );
  expect(authorization).toBe(resigned.headers['authorization']);
});

/** As the SDK asks for it. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string | Uint8Array);
  }

  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    throw new Error('not asked for');
  }
}

test('bytes go out and come back as bytes, also within maps and lists', async () => {
  const item = {
    pk: { S: 'a' },
    bytes: { B: Buffer.from([0, 255]) },
    many: { BS: [Buffer.from([1]), Buffer.from([2])] },
    nested: { M: { list: { L: [{ B: Buffer.from([3]) }, { NULL: true }] } } },
  };
  await using server = await scriptedDynamoDb(({ body }) => ({ status: 200, body: { Attributes: body['Item'] } }));

  const { Attributes } = await clientAt(server.endpoint).send('PutItem', { TableName: 'keys', Item: item } as never);

  expect(server.requests[0]?.body['Item']).toMatchObject({ bytes: { B: 'AP8=' }, many: { BS: ['AQ==', 'Ag=='] } });
  expect(Attributes).toEqual(item);
});

test('a host whose clock is off is refused once: the next request carries the server’s time', async () => {
  const dates: unknown[] = [];
  const endpoint = await listening((request, response) => {
    request.resume();
    dates.push(request.headers['x-amz-date']);
    response.setHeader('date', 'Sat, 21 Nov 2026 14:25:00 GMT');
    response.statusCode = dates.length === 1 ? 400 : 200;
    response.end(dates.length === 1 ? JSON.stringify({ __type: 'x#InvalidSignatureException' }) : '{}');
  });
  const client = clientAt(endpoint, { clock: { now: () => Date.parse('2026-11-21T13:25:00Z') } });

  await expect(client.send('GetItem', { TableName: 'keys', Key: {} })).rejects.toMatchObject({ clockWasOff: true });
  await client.send('GetItem', { TableName: 'keys', Key: {} });

  expect(dates).toEqual(['20261121T132500Z', '20261121T142500Z']);
});

test('a refusal keeps its name, what it says and the item that stands there', async () => {
  await using server = await scriptedDynamoDb(() =>
    refusal(400, 'ConditionalCheckFailedException', 'The conditional request failed', { Item: { pk: { B: 'AP8=' } } }),
  );

  await expect(clientAt(server.endpoint).send('GetItem', { TableName: 'keys', Key: {} })).rejects.toMatchObject({
    name: 'ConditionalCheckFailedException',
    message: 'The conditional request failed',
    status: 400,
    item: { pk: { B: Buffer.from([0, 255]) } },
    clockWasOff: false,
  });
});

test('what a proxy answers in DynamoDB’s place is a refusal by its status', async () => {
  const endpoint = await listening((request, response) => {
    request.resume();
    response.statusCode = 502;
    response.end('<html>Bad Gateway</html>');
  });

  await expect(clientAt(endpoint).send('GetItem', { TableName: 'keys', Key: {} })).rejects.toMatchObject({
    name: 'HTTP502',
    status: 502,
  });
});

test('credentials come from the environment at each request: Lambda sets them', async () => {
  const seen: unknown[] = [];
  const endpoint = await listening((request, response) => {
    request.resume();
    seen.push({ credential: credentialOf(request), token: request.headers['x-amz-security-token'] });
    response.end('{}');
  });
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDFIRST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_SESSION_TOKEN', 'session');
  const client = dynamoDbClient({ endpoint, region: 'eu-central-1', clock: { now: () => NOW } });
  onTestFinished(() => client.destroy());

  await client.send('GetItem', { TableName: 'keys', Key: {} });

  expect(seen).toEqual([{ credential: 'AKIDFIRST/20261121/eu-central-1/dynamodb/aws4_request', token: 'session' }]);
});

function credentialOf({ headers }: IncomingMessage): string | undefined {
  return /Credential=([^,]+)/.exec(headers.authorization ?? '')?.[1];
}

test('credentials that are not in the environment are looked for as the AWS SDK does: a container’s', async () => {
  const seen: unknown[] = [];
  const endpoint = await listening((request, response) => {
    request.resume();
    seen.push(credentialOf(request));
    response.end('{}');
  });
  const agent = await listening((_, response) =>
    response.end(
      JSON.stringify({
        AccessKeyId: 'AKIDCONTAINER',
        SecretAccessKey: 's',
        Token: 't',
        Expiration: '2999-01-01T00:00:00Z',
      }),
    ),
  );
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', agent);
  const client = dynamoDbClient({ endpoint, region: 'eu-central-1', clock: { now: () => NOW } });
  onTestFinished(() => client.destroy());

  await client.send('GetItem', { TableName: 'keys', Key: {} });

  expect(seen).toEqual(['AKIDCONTAINER/20261121/eu-central-1/dynamodb/aws4_request']);
});

test('without a region it says which variable is missing', async () => {
  vi.stubEnv('AWS_REGION', undefined);
  vi.stubEnv('AWS_DEFAULT_REGION', undefined);

  await expect(dynamoDbClient().send('GetItem', { TableName: 'keys', Key: {} })).rejects.toThrow(
    'ENVIRONMENT_INVALID: environment variable AWS_REGION is not set',
  );
});
