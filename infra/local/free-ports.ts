import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Free TCP ports of 127.0.0.1, all different: their listeners are open at the same time, then closed together. Before the
 * server binds a port another process may take it, so callers try again with others.
 */
export async function freePorts(count: number): Promise<number[]> {
  const listeners = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  try {
    return await Promise.all(
      listeners.map(async (listener) => {
        if (!listener.listening) await once(listener, 'listening');
        const address = listener.address();
        if (address === null || typeof address === 'string') throw new Error('a TCP listener has no port');
        return address.port;
      }),
    );
  } finally {
    await Promise.all(listeners.map((listener) => new Promise((closed) => listener.close(closed))));
  }
}
