/*
 * Runs a function's handler from its TypeScript, to be debugged: an HTTP server on loopback whose POST is an invocation.
 * Arguments: the module, the handler's export, the port. Environment and credentials are the deployed function's.
 * One invocation at a time, as in a sandbox of Lambda.
 */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';

/** Whoever debugs needs time: the longest that Lambda gives. */
const TIMEOUT_MS = 15 * 60_000;

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

let last = Promise.resolve();
const server = createServer((request, response) => {
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
