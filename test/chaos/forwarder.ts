import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { LocalEndpoint } from '../../infra/local/local-endpoint.ts';

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Passes requests on to the local cloud as they came, signatures included, over connections that are kept. */
export function forwarder(endpoint: LocalEndpoint) {
  const { hostname: host, port } = new URL(endpoint.url);
  const agent = new Agent({ ca: readFileSync(endpoint.certificateFile), keepAlive: true, maxSockets: 64 });
  const forward = ({ method, url: path, headers }: IncomingMessage, body: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request({ agent, host, port, method, path, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: Buffer.concat(parts) }),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return { forward, close: () => agent.destroy() };
}
