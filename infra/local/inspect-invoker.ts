import { randomBytes, randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { DeployedConsumer } from './deployed.ts';
import type { Invocation, Invoker } from './event-source/invoker.ts';
import { freePorts } from './free-ports.ts';
import { spawnGuarded } from './guard.ts';
import { LocalCloudError } from './local-cloud-error.ts';
import { endpointEnvironment, type LocalEndpoint } from './local-endpoint.ts';
import { MODULE_EXTENSION } from './local-folder.ts';
import { assumeRole } from './role-credentials.ts';

const INSPECT_MAIN = join(import.meta.dirname, `inspect-main${MODULE_EXTENSION}`);

export interface InspectOptions {
  /** The app's, to which the handler's path is relative. */
  readonly folder: string;
  /** Stops before the handler's first line until a debugger is attached. @default false */
  readonly breakAtStart?: boolean;
  /** Gets each line that the handler, and the debugger, print. */
  readonly onLine: (line: string) => void;
}

export interface InspectedFunction extends Invoker {
  /** `host:port` for the debugger. */
  readonly debugger: string;
  stop(): Promise<void>;
}

/**
 * Runs a deployed consumer's handler from its TypeScript source under Node's debugger, with the function's environment and its
 * role's permissions (valid for an hour). The event source invokes it instead of the Lambda API. After a crash it does not
 * start again.
 *
 * @throws LocalCloudError if the stack does not name the TypeScript source
 */
export async function inspectFunction(
  endpoint: LocalEndpoint,
  consumer: DeployedConsumer,
  options: InspectOptions,
): Promise<InspectedFunction> {
  const { entry, handlerExport = 'handler', name, function: deployed } = consumer;
  if (entry === undefined) {
    throw new LocalCloudError(`The stack does not say where the handler of ${name} is: LockstepConsumer notes it.`);
  }
  const [port = 0, debuggerPort = 0] = await freePorts(2);
  const token = randomBytes(32).toString('base64url');
  const { accessKeyId, secretAccessKey, sessionToken } = await assumeRole(endpoint, deployed.roleArn);
  const flag = options.breakAtStart ? '--inspect-brk' : '--inspect';
  const args = [`${flag}=127.0.0.1:${debuggerPort}`, INSPECT_MAIN, entry, handlerExport, String(port)];
  const server = spawnGuarded(process.execPath, args, {
    cwd: options.folder,
    output: options.onLine,
    env: {
      PATH: process.env['PATH'],
      ...deployed.environment,
      ...endpointEnvironment(endpoint),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_LAMBDA_FUNCTION_NAME: deployed.functionName,
      AWS_LAMBDA_LOG_GROUP_NAME: deployed.logGroup,
      LOCKSTEP_INSPECTED_ARN: deployed.functionArn,
      LOCKSTEP_INSPECT_TOKEN: token,
    },
  });
  return {
    debugger: `127.0.0.1:${debuggerPort}`,
    invoke: (_, payload) => invoke({ port, token }, payload),
    stop: server.stop,
  };
}

interface Invoked {
  readonly port: number;
  readonly token: string;
}

async function invoke(invoked: Invoked, payload: string): Promise<Invocation> {
  const requestId = randomUUID();
  try {
    const { status, body } = await post(invoked, payload, requestId);
    return { type: status === 200 ? 'answered' : 'functionError', payload: body, requestId };
  } catch (error) {
    return { type: 'notInvoked', reason: `the inspected handler does not answer: ${String(error)}` };
  }
}

/** Without a timeout: a person may be at a breakpoint. */
function post({ port, token }: Invoked, payload: string, requestId: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'x-request-id': requestId, 'x-lockstep-token': token };
    request({ host: '127.0.0.1', port, method: 'POST', headers, agent: false }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject);
    })
      .on('error', reject)
      .end(payload);
  });
}
