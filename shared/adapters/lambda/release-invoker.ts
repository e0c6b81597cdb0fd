import type { LambdaClient, LambdaClientConfig } from '@aws-sdk/client-lambda';
import { OperatorError } from '../../operator-errors.ts';
import type { ReleaseEvent } from '../../release/release-event.ts';
import type { ReleaseAnswer } from '../../release/run-release.ts';

/** The longest invocation, and some more. */
const ANSWER_WITHIN_MS = 15 * 60_000 + 5_000;

/**
 * Invokes a consumer function to release a parked key, and waits for its answer: a release that is repeated changes nothing.
 * The client is loaded with the first one.
 *
 * @param config - where Lambda is. @default the process's region, endpoint and credentials
 * @throws LockstepError RELEASE_FAILED where the function did not answer, or not as a consumer does
 */
export function releaseInvoker(
  functionName: string,
  config: LambdaClientConfig = {},
): (event: ReleaseEvent) => Promise<ReleaseAnswer> {
  let client: LambdaClient | undefined;
  return async (event) => {
    try {
      const { InvokeCommand, LambdaClient } = await import('./lambda-client.ts');
      client ??= new LambdaClient({
        maxAttempts: 1,
        requestHandler: { requestTimeout: ANSWER_WITHIN_MS },
        ...config,
      });
      const Payload = JSON.stringify(event);
      const { FunctionError, Payload: said } = await client.send(
        new InvokeCommand({ FunctionName: functionName, InvocationType: 'RequestResponse', Payload }),
      );
      const text = Buffer.from(said ?? []).toString();
      if (FunctionError !== undefined) throw new TypeError(`${FunctionError}: ${text.slice(0, 500)}`);
      const answer: unknown = JSON.parse(text);
      if (typeof answer === 'object' && answer !== null && 'end' in answer) return answer as ReleaseAnswer;
      throw new TypeError('it answered something else: it was deployed by a version that parks no keys');
    } catch (cause) {
      const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
      throw new OperatorError('RELEASE_FAILED', `${functionName} did not release a parked key: ${why}`, { cause });
    }
  };
}
