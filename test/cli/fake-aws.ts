import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { vi } from 'vitest';
import { run } from '../../cli/run.ts';

/** What the services behind a stack answer. */
export interface FakeAnswers {
  /** Of GetEventSourceMapping. */
  mapping?: object;
  /** Of the operator function, to each request. */
  operator?: (request: { readonly type: string; readonly [name: string]: unknown }) => unknown;
  /** Of GetItem in the ledger. */
  item?: object;
  /** The same by the items' keys, and of BatchGetItem; what is not there is absent. */
  items?: Readonly<Record<string, object>>;
  /** How many messages wait in the fallback queue. */
  queued?: number;
  /** Topics of the consumers of a stack; Orders reads `orders` where nothing is said. */
  consumers?: Readonly<Record<string, string>>;
}

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The services that `lockstep --stack` asks, on loopback; they take any signature. */
export async function startFakeAws() {
  let answers: FakeAnswers = {};
  const asked: { readonly type: string; readonly [name: string]: unknown }[] = [];
  let url = '';
  const server = createServer((request, answer) => {
    let body = '';
    request
      .on('data', (part) => {
        body += part;
      })
      .on('end', async () => {
        const target = String(request.headers['x-amz-target'] ?? '');
        const json = (value: unknown) =>
          answer.setHeader('content-type', 'application/x-amz-json-1.0').end(JSON.stringify(value));
        const xml = (text: string) => answer.setHeader('content-type', 'text/xml').end(text);
        if (target.startsWith('DynamoDB') && answers.items !== undefined) return json(itemsFor(answers.items, body));
        if (target.startsWith('DynamoDB')) return json(answers.item === undefined ? {} : { Item: answers.item });
        if (target.startsWith('AmazonSQS'))
          return json({ Attributes: { ApproximateNumberOfMessages: String(answers.queued ?? 0) } });
        if (request.url?.includes('/event-source-mappings/')) return json(answers.mapping ?? { State: 'Enabled' });
        if (request.url?.includes('/invocations')) {
          const order = JSON.parse(body);
          asked.push(order);
          return json((await answers.operator?.(order)) ?? { partitions: [], letters: 0, openLetters: 0 });
        }
        if (body.includes('GetCallerIdentity'))
          return xml(
            '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:sts::111122223333:assumed-role/Admin/ann</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>',
          );
        return xml(stack(answers.consumers ?? { Orders: 'orders' }, `${url}/1/q`));
      });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    LOCKSTEP_OPERATOR: 'somebody else',
    NO_COLOR: '1',
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  return {
    /** What the operator function was asked. */
    asked,
    answer: (now: FakeAnswers) => {
      answers = now;
      asked.length = 0;
    },
    /** Runs `lockstep --stack S` to its end. */
    lockstep: (...args: readonly string[]) => lockstepAlone(...args, '--stack', 'S'),
    lockstepAlone,
    stop: async () => {
      vi.unstubAllEnvs();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Runs `lockstep` to its end. */
async function lockstepAlone(...args: readonly string[]): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((text) => {
      stdout += `${text}\n`;
    }),
    vi.spyOn(console, 'error').mockImplementation((text) => {
      stderr += `${text}\n`;
    }),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += text;
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += text;
      return true;
    }),
  ];
  try {
    return { code: await run([...args]), stdout, stderr };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = 0;
  }
}

/** What GetItem or BatchGetItem finds. */
function itemsFor(items: Readonly<Record<string, object>>, body: string): object {
  const { Key, RequestItems = {} } = JSON.parse(body);
  if (Key !== undefined) return items[Key.pk.S] === undefined ? {} : { Item: items[Key.pk.S] };
  const Responses = Object.entries(RequestItems as Record<string, { Keys: { pk: { S: string } }[] }>).map(
    ([name, { Keys }]) => [name, Keys.flatMap(({ pk }) => items[pk.S] ?? [])],
  );
  return { Responses: Object.fromEntries(Responses) };
}

function stack(consumers: Readonly<Record<string, string>>, queueUrl: string): string {
  const outputs = Object.entries(consumers).map(([name, topic]) => [
    `${name}LockstepConsumer`,
    JSON.stringify({
      MappingId: 'm',
      Topic: topic,
      ConsumerGroup: `group-${name}`,
      DeadLetterTopic: `${topic}-dead-letters`,
      LedgerTable: 't',
      ClusterId: 'c',
      FallbackQueueUrl: queueUrl,
      OperatorFunctionName: `operator-${name}`,
    }),
  ]);
  const members = outputs.map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>S</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>${members.join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
}
