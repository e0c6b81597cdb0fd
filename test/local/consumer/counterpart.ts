import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

/** What a function told. */
export interface Call {
  /** `/started`, `/done`, or `/credit`. */
  readonly path: string;
  readonly id: string;
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly attempt?: number;
  /** What it was answered; absent as long as it was not. */
  status?: number;
}

/** Decides what a call is answered: an HTTP status, now or later. */
export type Answer = (call: Call) => number | Promise<number>;

/** The other system that functions under test talk to: what they do is seen here in the order in which it happens. */
export interface Counterpart {
  readonly url: string;
  readonly calls: readonly Call[];
  /** From now on. @default 204 */
  answer(answer: Answer): void;
  stop(): Promise<void>;
}

/** Starts it on loopback. */
export async function startCounterpart(): Promise<Counterpart> {
  const calls: Call[] = [];
  let answer: Answer = () => 204;
  const server = createServer(async (request, response) => {
    const { id, orderId, ...about } = JSON.parse(await text(request));
    const call: Call = { ...about, path: request.url ?? '', id: String(id ?? orderId) };
    calls.push(call);
    const status = await answer(call);
    call.status = status;
    response.writeHead(status).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    answer: (next) => {
      answer = next;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
