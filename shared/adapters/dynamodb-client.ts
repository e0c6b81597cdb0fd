import { Agent as HttpAgent } from 'node:http';
import { Agent } from 'node:https';
import type {
  BatchGetItemInput,
  BatchGetItemOutput,
  DeleteItemInput,
  DeleteItemOutput,
  GetItemInput,
  GetItemOutput,
  PutItemInput,
  PutItemOutput,
  TransactWriteItemsInput,
  TransactWriteItemsOutput,
  UpdateItemInput,
  UpdateItemOutput,
} from '@aws-sdk/client-dynamodb';
import aws4 from 'aws4';
import { LockstepError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import { type AwsCredentials, ambientCredentials } from './aws-credentials.ts';
import { dynamoDbEndpoint } from './dynamodb-endpoint.ts';
import { DynamoDbError } from './dynamodb-error.ts';
import { parseAnswer, requestText } from './dynamodb-wire.ts';
import { type Answer, post } from './https-post.ts';
import { systemClock } from './system-clock.ts';

/** @default 1,000 */
export const CONNECTION_TIMEOUT_MS = 1_000;
/** @default 2,000 */
export const REQUEST_TIMEOUT_MS = 2_000;

/** Connections at a time: the keys of a batch of a hundred are claimed in one round trip. */
export const MAX_CONNECTIONS = 100;

/** A host whose clock is so far off gets its signatures refused. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html */
const SKEW_MS = 300_000;

/** How the ledger's table is reached. What is not given of region, endpoint and credentials comes from the environment. */
export interface DynamoDbClientOptions {
  readonly endpoint?: string;
  readonly region?: string;
  readonly credentials?: AwsCredentials | (() => Promise<AwsCredentials>);
  /** Milliseconds until a connection must stand. @default CONNECTION_TIMEOUT_MS */
  readonly connectionTimeoutMs?: number;
  /** Milliseconds until a request must be answered; then it is given up, applied or not. @default REQUEST_TIMEOUT_MS */
  readonly requestTimeoutMs?: number;
  /** Connections, and which certificates they trust. @default Node's own, kept alive, MAX_CONNECTIONS at a time */
  readonly httpsAgent?: Agent;
  readonly clock?: Pick<Clock, 'now'>;
}

/** The requests that the ledger's stores send, with what they take and answer. */
export interface DynamoDbRequests {
  readonly BatchGetItem: readonly [BatchGetItemInput, BatchGetItemOutput];
  readonly DeleteItem: readonly [DeleteItemInput, DeleteItemOutput];
  readonly GetItem: readonly [GetItemInput, GetItemOutput];
  readonly PutItem: readonly [PutItemInput, PutItemOutput];
  readonly TransactWriteItems: readonly [TransactWriteItemsInput, TransactWriteItemsOutput];
  readonly UpdateItem: readonly [UpdateItemInput, UpdateItemOutput];
}

/** A way to DynamoDB: every call is one request, bounded in time; nothing is repeated. */
export interface DynamoDb {
  /** @throws DynamoDbError where it is refused, else what the connection threw */
  send<Name extends keyof DynamoDbRequests>(
    name: Name,
    input: DynamoDbRequests[Name][0],
  ): Promise<DynamoDbRequests[Name][1]>;
  destroy(): void;
}

/**
 * DynamoDB for the ledger's stores. Not the AWS SDK's client: of its 230 KB, which a cold start would load before the first
 * record, the stores need a signature and a request; and it repeats on its own, while only the runtime knows the deadline and
 * that a write whose fate is unknown may be repeated only as it was.
 */
export function dynamoDbClient(options: DynamoDbClientOptions = {}): DynamoDb {
  const {
    region = process.env['AWS_REGION'] || process.env['AWS_DEFAULT_REGION'],
    credentials = ambientCredentials(),
    connectionTimeoutMs = CONNECTION_TIMEOUT_MS,
    requestTimeoutMs = REQUEST_TIMEOUT_MS,
    clock = systemClock,
  } = options;
  const url = region === undefined ? undefined : new URL(options.endpoint ?? dynamoDbEndpoint(region, process.env));
  const kept = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
  // DynamoDB Local speaks plain HTTP.
  const agent = url?.protocol === 'http:' ? new HttpAgent(kept) : (options.httpsAgent ?? new Agent(kept));
  /** How much later the server's clock is than ours. */
  let skewMs = 0;
  const correctsSkew = ({ status, headers }: Answer): boolean => {
    const ahead = Date.parse(String(headers['date'])) - clock.now();
    if (status < 400 || status >= 500 || !(Math.abs(ahead - skewMs) > SKEW_MS)) return false;
    skewMs = ahead;
    return true;
  };
  return {
    async send(name, input) {
      if (url === undefined || region === undefined)
        throw new LockstepError('ENVIRONMENT_INVALID', 'environment variable AWS_REGION is not set');
      const body = requestText(input);
      const { headers } = aws4.sign(
        {
          service: 'dynamodb',
          region,
          host: url.host,
          path: url.pathname,
          body,
          headers: {
            'content-type': 'application/x-amz-json-1.0',
            'x-amz-target': `DynamoDB_20120810.${name}`,
            'x-amz-date': dateText(clock.now() + skewMs),
          },
        },
        typeof credentials === 'function' ? await credentials() : credentials,
      );
      const answer = await post({ url, agent, connectionTimeoutMs, requestTimeoutMs }, headers ?? {}, body);
      if (answer.status === 200) return parseAnswer(answer.text);
      throw new DynamoDbError(answer, correctsSkew(answer));
    },
    destroy: () => agent.destroy(),
  };
}

/** `20261121T142500Z` */
function dateText(at: number): string {
  return new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, '');
}
