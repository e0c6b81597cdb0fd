import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { fields } from '../stack-template.ts';

/** A request as the service saw it. */
export interface CreditRequest {
  readonly orderId: string;
  readonly approved: boolean;
}

/** The other system that the orders function depends on. */
export interface CreditService {
  readonly url: string;
  /** In the order in which they came. */
  readonly requests: readonly CreditRequest[];
  stop(): Promise<void>;
}

/**
 * Approves every order, on loopback; but answers 503 to the first requests for some.
 *
 * @param failures - how many, by order id
 */
export async function startCreditService(failures: Readonly<Record<string, number>>): Promise<CreditService> {
  const requests: CreditRequest[] = [];
  const left = new Map(Object.entries(failures));
  const server = createServer(async (request, response) => {
    const { orderId } = fields(JSON.parse(await text(request)));
    const id = String(orderId);
    const failuresLeft = left.get(id) ?? 0;
    left.set(id, failuresLeft - 1);
    requests.push({ orderId: id, approved: failuresLeft <= 0 });
    response.writeHead(failuresLeft > 0 ? 503 : 204).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
