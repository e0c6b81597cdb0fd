/*
 * Runs a function's handler under a debugger: an HTTP server on loopback, in which a POST is an invocation. Arguments: the
 * module, the handler's export, the port. Environment and credentials are those of the deployed function. It runs one invocation
 * at a time, like a process of Lambda. Only a client with the token of LOCKSTEP_INSPECT_TOKEN may invoke, because all programs and
 * users of the machine can reach the port, and web pages can, too.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';

/** A person who debugs needs time: the longest that Lambda allows. */
const TIMEOUT_MS = 15 * 60_000;

const token = Buffer.from(process.env['LOCKSTEP_INSPECT_TOKEN'] ?? '');
if (token.length === 0) throw new Error('LOCKSTEP_INSPECT_TOKEN is not set');
// The handler does not need it.
delete process.env['LOCKSTEP_INSPECT_TOKEN'];

const [entry = '', handlerExport = 'handler', port = '0'] = process.argv.slice(2);
const module: Record<string, unknown> = await import(pathToFileURL(entry).href);
const handler = module[handlerExport];
if (typeof handler !== 'function') throw new Error(`${entry} exports no function \`${handlerExport}\``);

function contextOf(requestId: string): Context {
  const name = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? '';
  const deadline = Date.now() + TIMEOUT_MS;
  return {
    awsRequestId: requestId,
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: process.env['LOCKSTEP_INSPECTED_ARN'] ?? '',
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? '',
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'] ?? '',
    logStreamName: requestId,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}

/** Why a request is not an invocation; `undefined` if it is one. */
function objection({ method, headers, rawHeaders }: IncomingMessage): string | undefined {
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const isHere = headers.host === `127.0.0.1:${port}` || headers.host === `localhost:${port}`;
  if (!isHere || names.filter((name) => name === 'host').length !== 1) return 'the request is for another host';
  if (names.includes('origin')) return 'the request comes from a web page';
  if (method !== 'POST') return 'an invocation is a POST';
  const said = Buffer.from(String(headers['x-lockstep-token'] ?? ''));
  return said.length === token.length && timingSafeEqual(said, token) ? undefined : 'the token is missing or wrong';
}

let last = Promise.resolve();
const server = createServer((request, response) => {
  const refused = objection(request);
  if (refused !== undefined) {
    request.resume();
    response
      .writeHead(403, { connection: 'close' })
      .end(JSON.stringify({ errorType: 'Refused', errorMessage: refused }));
    return;
  }
  last = last.then(async () => {
    try {
      const event: unknown = JSON.parse(await text(request));
      const answer: unknown = await handler(event, contextOf(String(request.headers['x-request-id'])));
      response.end(JSON.stringify(answer ?? null));
    } catch (error) {
      console.error(error);
      const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
      response.writeHead(500).end(JSON.stringify({ errorType: name, errorMessage: message }));
    }
  });
});
server.listen(Number(port), '127.0.0.1', () => console.log('ready for invocations'));
