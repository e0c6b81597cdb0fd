import { Agent, request } from 'node:http';
import { type DynamoDbAnswer, type DynamoDbRequest, type LoopbackServer, loopbackServer } from './loopback-server.ts';

/** What went over the wire, and what DynamoDB bills for it. */
export interface Traffic {
  readonly requests: number;
  /** Capacity units that DynamoDB reports, plus one for each write whose condition did not hold: AWS bills it, and the answer does not report it. */
  readonly units: number;
  /** Of `units`, those of reads. */
  readonly readUnits: number;
}

/** A proxy between a consumer and DynamoDB that counts. */
export interface CountingProxy extends LoopbackServer {
  /** What was counted since the last call. */
  take(): Traffic;
}

/** Forwards requests to `target`, lets it report what each consumes, and adds that up. The consumer does not notice. */
export async function countingProxy(target: string): Promise<CountingProxy> {
  const agent = new Agent({ keepAlive: true });
  let traffic = { requests: 0, units: 0, readUnits: 0 };
  const server = await loopbackServer(async (asked) => {
    const answer = await passOn(target, agent, asked);
    const isRead = asked.operation === 'BatchGetItem';
    const reported = isRead ? keysAsked(asked) : (statementsAsked(asked) ?? consumed(JSON.parse(answer.body)));
    const refused = answer.status === 400 && answer.body.includes('ConditionalCheckFailed') ? 1 : 0;
    traffic = {
      requests: traffic.requests + 1,
      units: traffic.units + reported + refused,
      readUnits: traffic.readUnits + (isRead ? reported : 0),
    };
    return answer;
  });
  return {
    endpoint: server.endpoint,
    take() {
      const taken = traffic;
      traffic = { requests: 0, units: 0, readUnits: 0 };
      return taken;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

function passOn(target: string, agent: Agent, { operation, body }: DynamoDbRequest): Promise<DynamoDbAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<DynamoDbAnswer>();
  const text = JSON.stringify({ ...body, ReturnConsumedCapacity: 'TOTAL' });
  const headers = {
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(text),
    // DynamoDB Local needs a signature, and accepts any.
    authorization:
      'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    'x-amz-date': '20260101T000000Z',
  };
  request(target, { method: 'POST', agent, headers }, async (incoming) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    resolve({ status: incoming.statusCode ?? 500, body: Buffer.concat(chunks).toString() });
  })
    .on('error', reject)
    .end(text);
  return promise;
}

/**
 * A consistent read is one unit for each 4 KB, also of an absent item: DynamoDB Local reports none for those.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
function keysAsked({ body }: DynamoDbRequest): number {
  const tables = Object.values((body['RequestItems'] ?? {}) as Record<string, { readonly Keys: readonly unknown[] }>);
  return tables.reduce((sum, { Keys }) => sum + Keys.length, 0);
}

/**
 * Each statement is a write of an item below 1 KB, one unit, done or refused: DynamoDB Local reports none for statements.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
function statementsAsked({ operation, body }: DynamoDbRequest): number | undefined {
  return operation === 'BatchExecuteStatement' ? (body['Statements'] as readonly unknown[]).length : undefined;
}

/** One table's capacity, or a list of several tables'. */
function consumed({ ConsumedCapacity = [] }: { ConsumedCapacity?: Capacity | Capacity[] }): number {
  return [ConsumedCapacity].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
}

interface Capacity {
  readonly CapacityUnits?: number;
}
