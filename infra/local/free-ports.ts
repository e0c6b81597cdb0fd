import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Free TCP ports of 127.0.0.1, all different: the listeners are held at once and let go together.
 * Between this and the server's own bind somebody else may take one: callers try again with others.
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
