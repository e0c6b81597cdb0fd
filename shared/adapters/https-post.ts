import { type Agent as HttpAgent, request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** Where a request goes, and how long it may take. */
export interface PostTarget {
  readonly url: URL;
  readonly agent: HttpAgent | HttpsAgent;
  /** Milliseconds until a connection must stand. */
  readonly connectionTimeoutMs: number;
  /** Milliseconds until the whole answer must be there. */
  readonly requestTimeoutMs: number;
}

/** An answer, whatever it says. */
export interface Answer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Posts once. @throws what the connection threw, or an error named TimeoutError */
export function post(
  { url, agent, connectionTimeoutMs, requestTimeoutMs }: PostTarget,
  headers: OutgoingHttpHeaders,
  body: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
    const outgoing = send(url, { method: 'POST', headers, agent });
    const giveUp = (what: string, ms: number) =>
      setTimeout(() => {
        outgoing.destroy(Object.assign(new Error(`${what} ${url.host} within ${ms} ms`), { name: 'TimeoutError' }));
      }, ms);
    const unanswered = giveUp('no answer from', requestTimeoutMs);
    let unconnected: NodeJS.Timeout | undefined;
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) return;
      unconnected = giveUp('no connection to', connectionTimeoutMs);
      socket.once('connect', () => clearTimeout(unconnected));
    });
    const failed = (error: Error) => {
      clearTimeout(unanswered);
      clearTimeout(unconnected);
      reject(error);
    };
    outgoing.on('error', failed);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', failed);
      incoming.on('end', () => {
        clearTimeout(unanswered);
        const text = Buffer.concat(chunks).toString();
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
      });
    });
    outgoing.end(body);
  });
}
