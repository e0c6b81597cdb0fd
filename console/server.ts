import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Target } from '../cli/target.ts';
import { LockstepError } from '../shared/errors.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { cookieName, judge, newSecrets } from './guard.ts';
import { keptTarget } from './kept-target.ts';
import { readOrder, tell } from './levers.ts';
import { looksAt } from './look-at.ts';
import { sharedAnswers, startLooks } from './looks.ts';
import type { Hello, LiveMessages, Look } from './messages.ts';
import { pageFiles } from './page-files.ts';
import { questions } from './questions.ts';
import { startRuns } from './runs.ts';
import { saidOf } from './said.ts';

export interface ConsoleOptions {
  /** Opens the target again: its stacks change while the console runs. */
  readonly open: () => Promise<Target>;
  /** What it looks at, for people: `--local`, `--stack Prod`. */
  readonly target: string;
  readonly local: boolean;
  /** Changes nothing, whoever asks. */
  readonly readOnly: boolean;
  /** Shows no value of a record. */
  readonly noValues: boolean;
  /** 0 for any free port. */
  readonly port: number;
}

export interface RunningConsole {
  /** With the token. */
  readonly address: string;
  stop(): Promise<void>;
}

const MOST_BODY_BYTES = 64 * 1024;
const MOST_LIVE = 100;
/** A page that does not read is cut off; it connects again by itself. */
const MOST_UNREAD_BYTES = 8 * 1024 * 1024;
const HEARTBEAT_MS = 15_000;

/** Nothing comes from elsewhere, nothing is written into the page as markup, and no other page may hold this one. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
};

/** Starts the console on loopback. @throws LockstepError COMMAND_LINE_INVALID where its port is in use */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const { readOnly, noValues, target } = options;
  const secrets = newSecrets();
  const files = await pageFiles();
  const kept = keptTarget(options.open);
  const shared = sharedAnswers();
  const asks = questions(kept, shared, options);
  const eyes = looksAt(kept, options);
  const live = new Set<ServerResponse>();
  let last: Look | null = null;

  const tellAll = <E extends keyof LiveMessages>(event: E, message: LiveMessages[E]) => {
    const text = eventText(event, message);
    for (const one of live) {
      if (one.writableLength > MOST_UNREAD_BYTES) one.destroy();
      else one.write(text);
    }
  };
  const runs = startRuns((run) => {
    shared.forget();
    tellAll('run', run);
  });
  const looks = startLooks(async () => {
    last = await eyes.look();
    // A page asks again when a look differs. It must not hear what was true before that look.
    shared.forget();
    tellAll('look', last);
  });
  const heartbeat = setInterval(() => {
    for (const one of live) one.write(': here\n\n');
  }, HEARTBEAT_MS);
  heartbeat.unref();

  const connectLive = (response: ServerResponse) => {
    if (live.size >= MOST_LIVE) return answerText(response, 503, 'Too many pages are open.');
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
    const hello: Hello = { readOnly, noValues, target, look: last, points: eyes.points(), runs: runs.views() };
    response.write(eventText('hello', hello));
    live.add(response);
    const leave = looks.watch();
    response.on('close', () => {
      live.delete(response);
      leave();
    });
  };

  const change = async (path: string, body: unknown): Promise<unknown> => {
    if (readOnly) throw new OperatorError('OPERATION_REFUSED', 'the console was started with --read-only');
    if (path === '/api/tell') {
      const order = readOrder(body);
      const lease = await kept.lease();
      try {
        return runs.add(order, await tell(lease.target, options, order), lease);
      } catch (error) {
        lease.free();
        throw error;
      }
    }
    const { id, why, typed } = texts(body);
    if (id === undefined) throw new OperatorError('OPERATOR_REQUEST_INVALID', 'expected an id');
    if (path === '/api/run')
      return runs.run(id, { ...(why !== undefined && { why }), ...(typed !== undefined && { typed }) });
    runs.cancel(id);
    return {};
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', headers } = request;
    const url = new URL(request.url ?? '/', 'http://console');
    const verdict = judge({ method, url, headers }, port(), secrets);
    if (verdict.type === 'refused') return answerText(response, verdict.status, verdict.why);
    if (verdict.type === 'exchange') {
      response.writeHead(303, {
        ...HEADERS,
        location: '/',
        'set-cookie': `${cookieName(port())}=${secrets.session}; HttpOnly; SameSite=Strict; Path=/`,
      });
      return void response.end();
    }
    const file = files.get(url.pathname);
    if (method === 'GET' && file !== undefined) {
      response.writeHead(200, { ...HEADERS, 'content-type': file.type });
      return void response.end(file.body);
    }
    if (method === 'GET' && url.pathname === '/api/live') return connectLive(response);
    const ask = asks.get(url.pathname);
    try {
      if (method === 'GET' && ask !== undefined) return answerJson(response, 200, await ask(url.searchParams));
      if (method === 'POST' && CHANGES.has(url.pathname))
        return answerJson(response, 200, await change(url.pathname, await jsonBody(request)));
    } catch (error) {
      return answerJson(response, statusOf(error), { error: saidOf(error) });
    }
    answerText(response, 404, 'The console has no such page.');
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  const port = () => (server.address() as AddressInfo).port;
  await new Promise<void>((done, failed) => {
    server.once('error', (cause) => {
      const what = `the console cannot listen on port ${options.port} of 127.0.0.1 (${cause.message}): name another with --port`;
      failed(new OperatorError('COMMAND_LINE_INVALID', what, { cause }));
    });
    server.listen(options.port, '127.0.0.1', done);
  });
  return {
    address: `http://127.0.0.1:${port()}/?token=${secrets.token}`,
    async stop() {
      clearInterval(heartbeat);
      looks.stop();
      await runs.stop();
      server.close();
      server.closeAllConnections();
      kept.close();
    },
  };
}

const CHANGES = new Set(['/api/tell', '/api/run', '/api/cancel']);

function eventText<E extends keyof LiveMessages>(event: E, message: LiveMessages[E]): string {
  return `event: ${event}\ndata: ${JSON.stringify(message)}\n\n`;
}

function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > MOST_BODY_BYTES)
      throw new OperatorError('OPERATOR_REQUEST_INVALID', `expected at most ${MOST_BODY_BYTES} bytes`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch (cause) {
    throw new OperatorError('OPERATOR_REQUEST_INVALID', 'expected JSON', { cause });
  }
}

function texts(body: unknown): Record<string, string | undefined> {
  if (typeof body !== 'object' || body === null) return {};
  return Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'string'));
}

/** 400 for a request that is wrong, 409 for what is refused, 502 for what failed behind the console. */
function statusOf(error: unknown): number {
  if (!(error instanceof LockstepError)) return 502;
  if (error.code === 'OPERATOR_REQUEST_INVALID' || error.code === 'COMMAND_LINE_INVALID') return 400;
  return error.code === 'OPERATION_REFUSED' || error.code === 'CONSUMER_UNKNOWN' ? 409 : 502;
}
