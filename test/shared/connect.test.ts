import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect } from '../../shared/connect.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';

const letter = {
  id: 'l',
  origin: { topic: 'orders', partition: 0, offset: 1 },
  key: null,
  value: null,
  headers: [],
  timestamp: 1,
};

const CLUSTER_ARN = 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1';
const CONNECTION_ARN = 'arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/main/conn-9';

const soon = () => Date.now() + 10_000;
const published: string[] = [];
const connectKafka = vi.fn();

function stub(changes: Partial<Record<keyof typeof ENVIRONMENT, string>> = {}): void {
  const deployed = {
    ledgerTable: 'Ledger',
    consumerGroup: 'shop-orders',
    deadLetterTopic: 'orders-dead-letters',
    fallbackQueueUrl: 'http://127.0.0.1:1/1/fallback',
    eventSourceArn: CLUSTER_ARN,
    clusterArn: CLUSTER_ARN,
    topic: 'orders',
    maxAttempts: '5',
    maxInterruptions: '3',
    keyNamespaces: 'shop-orders',
    ...changes,
  } as const;
  for (const [name, value] of Object.entries(deployed))
    vi.stubEnv(ENVIRONMENT[name as keyof typeof ENVIRONMENT], value);
}

beforeEach(() => {
  published.length = 0;
  connectKafka.mockReset().mockImplementation(() => ({
    letters: { publish: async ({ id }: typeof letter) => void published.push(id), disconnect: async () => undefined },
  }));
  vi.doMock('../../shared/connect-kafka.ts', () => ({ connectKafka }));
});

afterEach(() => vi.unstubAllEnvs());

test('code that could not be loaded is asked for again, and its absence ends no invocation', async () => {
  stub({ bootstrapServers: 'b-1:9098' });
  connectKafka.mockImplementationOnce(() => {
    throw new Error('EMFILE: too many open files');
  });
  const { letters } = (await connect()).ports;

  await expect(letters.publish(letter, soon())).rejects.toThrow('EMFILE');
  await expect(letters.disconnect()).resolves.toBeUndefined();
  await letters.publish(letter, soon());

  expect(published).toEqual(['l']);
});

test('brokers are those that the construct named, and MSK is not asked', async () => {
  stub({ bootstrapServers: 'b-1:9098,b-2:9098' });
  await (await connect()).ports.letters.publish(letter, soon());

  expect(connectKafka).toHaveBeenCalledWith(expect.objectContaining({ brokers: 'b-1:9098,b-2:9098' }));
});

describe('where the construct named none', () => {
  const ALL = {
    bootstrapBrokerString: 'plain:9092',
    bootstrapBrokerStringTls: 'tls:9094',
    bootstrapBrokerStringSaslScram: 'scram:9096',
    bootstrapBrokerStringSaslIam: 'iam:9098',
    bootstrapBrokerStringPublicSaslIam: 'public:9198',
    bootstrapBrokerStringVpcConnectivityTls: 'connected-tls:14001',
    bootstrapBrokerStringVpcConnectivitySaslScram: 'connected-scram:14002',
    bootstrapBrokerStringVpcConnectivitySaslIam: 'connected-iam:14003',
  };

  test.each([
    ['iam', CLUSTER_ARN, 'iam:9098'],
    ['scram', CLUSTER_ARN, 'scram:9096'],
    ['mtls', CLUSTER_ARN, 'tls:9094'],
    ['tls', CLUSTER_ARN, 'tls:9094'],
    ['none', CLUSTER_ARN, 'plain:9092'],
    ['iam', CONNECTION_ARN, 'connected-iam:14003'],
    ['scram', CONNECTION_ARN, 'connected-scram:14002'],
    ['mtls', CONNECTION_ARN, 'connected-tls:14001'],
    ['tls', CONNECTION_ARN, 'connected-tls:14001'],
  ])('MSK is asked for those of the mapping’s own cluster: %s, reading %s', async (auth, eventSourceArn, brokers) => {
    await using msk = await fakeMsk(ALL);
    stub({ kafkaAuth: auth, kafkaSecretArn: 'arn:secret', eventSourceArn });
    const { letters } = (await connect()).ports;

    await letters.publish(letter, soon());
    await letters.publish(letter, soon());

    expect(connectKafka).toHaveBeenCalledWith(expect.objectContaining({ brokers }));
    expect(msk.asked).toEqual([`/v1/clusters/${encodeURIComponent(CLUSTER_ARN)}/bootstrap-brokers`]);
  });

  test.each([
    ['iam', CLUSTER_ARN, 'MSK names no brokers for authentication iam'],
    ['iam', CONNECTION_ARN, 'MSK names no brokers for authentication iam over a VPC connection'],
  ])('and none has these, the letter is refused with what is missing: %s, reading %s', async (auth, source, says) => {
    await using _msk = await fakeMsk(
      source === CLUSTER_ARN ? { bootstrapBrokerString: 'plain:9092' } : { bootstrapBrokerStringSaslIam: 'iam:9098' },
    );
    stub({ kafkaAuth: auth, eventSourceArn: source });
    await expect((await connect()).ports.letters.publish(letter, soon())).rejects.toThrow(
      `BROKER_UNREACHABLE: MSK did not name the brokers of ${CLUSTER_ARN}: ${says}. Check`,
    );
  });

  test('and MSK does not answer, a letter is given up in its time, and nothing waits for the answer', async () => {
    await using msk = await fakeMsk(undefined);
    stub();
    const { letters, producer } = (await connect()).ports;
    const startedAt = performance.now();

    await expect(letters.publish(letter, Date.now() + 300)).rejects.toThrow(
      'BROKER_UNREACHABLE: MSK did not name the brokers in time',
    );
    await expect(producer.produce([], Date.now() + 300)).rejects.toThrow('BROKER_UNREACHABLE');
    await letters.disconnect();

    expect(performance.now() - startedAt).toBeLessThan(2_500);
    expect(msk.asked).toHaveLength(1);
  });

  test('and MSK does not answer, the fallback queue takes the letter all the same', async () => {
    await using msk = await fakeMsk(undefined);
    stub({ fallbackQueueUrl: `${msk.url}/1/fallback` });
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', msk.url);
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', msk.url);

    await (await connect()).ports.fallback.send({ type: 'letter', letter });

    expect(msk.sent).toEqual([expect.stringContaining('\\"id\\":\\"l\\"')]);
  });
});

/** Answers as MSK, or never; as SQS; and as a ledger's table that holds the secret to sign with. */
async function fakeMsk(answer: object | undefined) {
  const asked: string[] = [];
  const sent: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      if (String(request.headers['x-amz-target']).startsWith('AmazonSQS')) {
        sent.push(body);
        const MD5OfMessageBody = createHash('md5').update(JSON.parse(body).MessageBody).digest('hex');
        response.setHeader('content-type', 'application/x-amz-json-1.0');
        response.end(JSON.stringify({ MessageId: 'm', MD5OfMessageBody }));
        return;
      }
      if (String(request.headers['x-amz-target']).startsWith('DynamoDB')) {
        response.setHeader('content-type', 'application/x-amz-json-1.0');
        response.end(JSON.stringify({ Attributes: { secret: { B: Buffer.alloc(32).toString('base64') } } }));
        return;
      }
      asked.push(request.url ?? '');
      if (answer !== undefined) response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  vi.stubEnv('AWS_ENDPOINT_URL_KAFKA', url);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'x');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x');
  return {
    asked,
    sent,
    url,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
