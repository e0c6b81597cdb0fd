import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Invocation, Invoker } from './invoker.ts';

/**
 * Invokes through the Lambda API, with the last 4 KB of the log, which come free with the answer.
 * @param client - with no retries of its own and a request timeout above the function's
 */
export function lambdaInvoker(client: LambdaClient): Invoker {
  return {
    async invoke(functionArn, payload): Promise<Invocation> {
      try {
        const answer = await client.send(
          new InvokeCommand({ FunctionName: functionArn, LogType: 'Tail', Payload: payload }),
        );
        const requestId = answer.$metadata.requestId;
        return {
          type: answer.FunctionError ? 'functionError' : 'answered',
          payload: answer.Payload ? Buffer.from(answer.Payload).toString() : '',
          ...(requestId && { requestId }),
          ...(answer.LogResult && { log: Buffer.from(answer.LogResult, 'base64').toString() }),
        };
      } catch (error) {
        return {
          type: 'notInvoked',
          reason: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
        };
      }
    },
  };
}
