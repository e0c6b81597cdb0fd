import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Certificate } from '../../infra/local/certificate.ts';

/** A request of DynamoDB's protocol. */
export interface DynamoDbRequest {
  /** `UpdateItem` */
  readonly operation: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An answer, its body as JSON text. */
export interface DynamoDbAnswer {
  readonly status: number;
  readonly body: string;
}

/** A server on a free port of 127.0.0.1. */
export interface LoopbackServer extends AsyncDisposable {
  readonly endpoint: string;
}

/**
 * Serves DynamoDB's protocol: parses each request, and sends the result of `answer`.
 *
 * @param certificate - used for TLS, as on AWS
 */
export async function loopbackServer(
  answer: (request: DynamoDbRequest) => DynamoDbAnswer | Promise<DynamoDbAnswer>,
  certificate?: Certificate,
): Promise<LoopbackServer> {
  const listener: RequestListener = async (incoming, outgoing) => {
    const operation = String(incoming.headers['x-amz-target']).replace(/^.*\./, '');
    const { status, body } = await answer({ operation, body: JSON.parse(await textOf(incoming)) });
    outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
  };
  const server = certificate === undefined ? createServer(listener) : createSecureServer(keysOf(certificate), listener);
  // A benchmark pauses for longer than Node's five seconds. A closed socket would count as a failure of the client.
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return {
    endpoint: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function keysOf({ certificateFile, keyFile }: Certificate) {
  return { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
