import type { Agent } from 'node:https';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

/** @default 1,000 */
export const CONNECTION_TIMEOUT_MS = 1_000;
/** @default 2,000 */
export const REQUEST_TIMEOUT_MS = 2_000;

/** Connections at a time. Partitions are claimed and committed side by side, and so are the keys of each. */
export const MAX_CONNECTIONS = 100;

/** How the ledger's table is reached. Region, endpoint and credentials that are not given come from the environment. */
export interface DynamoDbClientOptions extends Pick<DynamoDBClientConfig, 'endpoint' | 'region' | 'credentials'> {
  /** Milliseconds in which a connection must be made. @default CONNECTION_TIMEOUT_MS */
  readonly connectionTimeoutMs?: number;
  /**
   * Milliseconds in which a request must be answered. After that it is given up, applied or not. @default REQUEST_TIMEOUT_MS
   */
  readonly requestTimeoutMs?: number;
  /** Connections, and which certificates they trust. @default the SDK's own, kept alive, MAX_CONNECTIONS at a time */
  readonly httpsAgent?: Agent;
}

/**
 * A DynamoDB client for the ledger's stores. Every call is one request with a time limit. The SDK repeats nothing: only the
 * runtime knows the deadline, and a write whose fate is unknown may only be repeated unchanged.
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
  // It copies each request and answer for a logger, and there is no logger.
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}
