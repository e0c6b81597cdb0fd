import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { DeployedConsumer } from './deployed.ts';
import { type BuiltFile, HANDLER_FILE } from './dev/handler-builds.ts';
import type { Invocation, Invoker } from './event-source/invoker.ts';
import { freePorts } from './free-ports.ts';
import { type Guarded, spawnGuarded } from './guard.ts';
import { endpointEnvironment, type LocalEndpoint } from './local-endpoint.ts';
import { MODULE_EXTENSION } from './local-folder.ts';
import type { RoleCredentials } from './role-credentials.ts';

const INSPECT_MAIN = join(import.meta.dirname, `inspect-main${MODULE_EXTENSION}`);
/** What `inspect-main` prints when it takes invocations. */
const READY = 'ready for invocations';

export interface InspectOptions {
  readonly endpoint: LocalEndpoint;
  /** Assumes a role. */
  readonly assumeRole: (roleArn: string) => Promise<RoleCredentials>;
  /** Where its code goes. */
  readonly folder: string;
  /** Stops before the first line until a debugger is attached. @default false */
  readonly breakAtStart?: boolean;
  /** Gets each line that the handler, and the debugger, print. */
  readonly onLine: (line: string) => void;
}

/** A consumer's function in a process under Node's debugger. The event source invokes it instead of the Lambda API. */
export interface InspectedFunction extends Invoker {
  /** `host:port` for the debugger. */
  readonly debugger: string;
  /** Runs this code from now on, in a new process. Nothing may be in flight. */
  run(consumer: DeployedConsumer, code: readonly BuiltFile[]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Runs a deployed consumer's handler under Node's debugger, with the function's environment and its role's permissions (valid for
 * an hour). Source maps lead to its TypeScript. After a crash it starts again with the next code.
 */
export async function inspectedFunction({
  endpoint,
  assumeRole,
  folder,
  breakAtStart = false,
  onLine,
}: InspectOptions): Promise<InspectedFunction> {
  const [port = 0, debuggerPort = 0] = await freePorts(2);
  let server: Guarded | undefined;
  let token = '';
  let started = Promise.resolve();
  return {
    debugger: `127.0.0.1:${debuggerPort}`,
    async run({ handlerExport = 'handler', function: deployed }, code) {
      await server?.stop();
      await mkdir(folder, { recursive: true });
      await Promise.all(code.map(({ name, contents }) => writeFile(join(folder, name), contents)));
      const { accessKeyId, secretAccessKey, sessionToken } = await assumeRole(deployed.roleArn);
      token = randomBytes(32).toString('base64url');
      const ready = Promise.withResolvers<void>();
      started = ready.promise;
      const flag = `${breakAtStart ? '--inspect-brk' : '--inspect'}=127.0.0.1:${debuggerPort}`;
      const args = [flag, INSPECT_MAIN, join(folder, HANDLER_FILE), handlerExport, String(port)];
      server = spawnGuarded(process.execPath, args, {
        cwd: folder,
        output: (line) => (line === READY ? ready.resolve() : onLine(line)),
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
      void server.exited.then(() => ready.resolve());
    },
    async invoke(_, payload) {
      await started;
      return invoke({ port, token }, payload);
    },
    stop: async () => server?.stop(),
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
