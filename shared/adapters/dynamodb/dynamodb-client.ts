import type { Agent } from 'node:https';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

/** @default 1,000 */
export const CONNECTION_TIMEOUT_MS = 1_000;
/** @default 2,000 */
export const REQUEST_TIMEOUT_MS = 2_000;

/** Connections at a time: partitions are claimed and committed side by side, and so are the keys of each. */
export const MAX_CONNECTIONS = 100;

/** How the ledger's table is reached. What is not given of region, endpoint and credentials comes from the environment. */
export interface DynamoDbClientOptions extends Pick<DynamoDBClientConfig, 'endpoint' | 'region' | 'credentials'> {
  /** Milliseconds until a connection must stand. @default CONNECTION_TIMEOUT_MS */
  readonly connectionTimeoutMs?: number;
  /** Milliseconds until a request must be answered; then it is given up, applied or not. @default REQUEST_TIMEOUT_MS */
  readonly requestTimeoutMs?: number;
  /** Connections, and which certificates they trust. @default the SDK's own, kept alive, MAX_CONNECTIONS at a time */
  readonly httpsAgent?: Agent;
}

/**
 * A DynamoDB client for the ledger's stores: every call is one request, bounded in time. The SDK repeats nothing, since only
 * the runtime knows the deadline and that a write whose fate is unknown may be repeated only as it was.
 */
export function dynamoDbClient(options: DynamoDbClientOptions = {}): DynamoDBClient {
  const {
    connectionTimeoutMs = CONNECTION_TIMEOUT_MS,
    requestTimeoutMs = REQUEST_TIMEOUT_MS,
    httpsAgent = { maxSockets: MAX_CONNECTIONS },
    ...where
  } = options;
  const client = new DynamoDBClient({
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      // Without it the SDK only logs a warning and goes on waiting.
      throwOnRequestTimeout: true,
      httpsAgent,
      // DynamoDB Local speaks plain HTTP.
      httpAgent: { maxSockets: MAX_CONNECTIONS },
    },
    ...where,
  });
  // It copies each request and answer for a log, by their schemas: there is none.
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}
