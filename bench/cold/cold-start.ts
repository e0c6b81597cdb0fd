import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { CONSUMER_ENVIRONMENT } from '../measure/peers.ts';
import type { DynamoDbVariables } from './loaded-bytes.ts';
import { runtimeApi } from './runtime-api.ts';

/** One cold start, in milliseconds from the start of the process. */
export interface ColdStart {
  /** Until the function asked for its first event: Lambda's init phase. */
  readonly initMs: number;
  readonly firstAnswerMs: number;
}

const RUNTIME_CLIENT = join(import.meta.dirname, '..', 'node_modules', 'aws-lambda-ric', 'index.mjs');

/** Starts a bundle under Lambda's runtime interface client and lets it answer one event. */
export async function coldStart(folder: string, event: unknown, dynamoDb: DynamoDbVariables): Promise<ColdStart> {
  // A new API for each start: a process requests its next event as soon as it has answered.
  await using api = await runtimeApi();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [RUNTIME_CLIENT], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      ...CONSUMER_ENVIRONMENT,
      AWS_LAMBDA_FUNCTION_VERSION: '1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_LAMBDA_RUNTIME_API: api.address,
      ...dynamoDb,
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/orders',
      AWS_LAMBDA_LOG_STREAM_NAME: 'bench',
      LAMBDA_TASK_ROOT: folder,
      _HANDLER: 'index.handler',
    },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  try {
    const { askedAt, answeredAt } = await Promise.race([
      api.invoke(event),
      ended.then(([code]) => {
        throw new Error(`the runtime interface client ended with ${code}`);
      }),
    ]);
    return { initMs: askedAt - startedAt, firstAnswerMs: answeredAt - startedAt };
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}
