import type { Request } from '@middy/core';
import type { Context } from 'aws-lambda';
import type { ConnectionHolder } from '../connection.ts';

/** What middy knows of one invocation. */
export type ConsumerRequest = Request<unknown, unknown, Error, Context>;

/** Adds the request id to the log lines of the invocation. */
export function invocationTelemetry(holder: ConnectionHolder): { before(request: ConsumerRequest): Promise<void> } {
  return {
    async before({ context }) {
      (await holder.current(context)).begin(context);
    },
  };
}

/**
 * Writes the metrics of an invocation when it ends, well or not, whatever added middlewares do.
 *
 * @param error - the error that Lambda gets; absent where it gets an answer
 */
export async function endTelemetry(holder: ConnectionHolder, context: Context, error?: unknown): Promise<void> {
  // Without a connection the metrics cannot be written. Lambda logs the error itself.
  const connection = await holder.current(context).catch(() => undefined);
  if (error !== undefined)
    connection?.ports.telemetry.log.error('the invocation failed; Lambda delivers the whole event again', { error });
  connection?.flush();
}
