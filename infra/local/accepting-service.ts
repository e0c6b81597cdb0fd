import { once } from 'node:events';
import { createServer } from 'node:http';

/** A service that accepts every request. */
export interface AcceptingService {
  readonly url: string;
  stop(): Promise<void>;
}

/** Replaces, on loopback, a system that handlers call. It answers 204 to every request. */
export async function startAcceptingService(): Promise<AcceptingService> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(204).end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
