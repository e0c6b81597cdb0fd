import type { Request } from '@middy/core';
import type { Context } from 'aws-lambda';
import type { ConnectionHolder } from '../connection.ts';

/** What middy knows of one invocation. */
export type ConsumerRequest = Request<unknown, unknown, Error, Context>;

/** Names the invocation on its log lines. */
export function invocationTelemetry(holder: ConnectionHolder): { before(request: ConsumerRequest): Promise<void> } {
  return {
    async before({ context }) {
      (await holder.current(context)).begin(context);
    },
  };
}

/**
 * Writes the metrics of an invocation out when it ends, well or not, whatever added middlewares do.
 *
 * @param error - what Lambda gets to see; absent where it gets an answer
 */
export async function endTelemetry(holder: ConnectionHolder, context: Context, error?: unknown): Promise<void> {
  // Without a connection there is nothing to write metrics with; Lambda logs the error itself.
  const connection = await holder.current(context).catch(() => undefined);
  if (error !== undefined)
    connection?.ports.telemetry.log.error('invocation failed; Lambda sends the whole event again', { error });
  connection?.flush();
}
