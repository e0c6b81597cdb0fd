import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import type { ConnectionHolder } from '../connection.ts';
import type { KafkaBatchResponse } from '../decide/batch-response.ts';
import type { KafkaEvent } from '../record/kafka-event.ts';

type Stack = Required<
  Pick<MiddlewareObj<KafkaEvent, KafkaBatchResponse, Error, Context>, 'before' | 'after' | 'onError'>
>;

/** Names the invocation on its log lines, and writes its metrics out when it ends, well or not. */
export function invocationTelemetry(holder: ConnectionHolder): Stack {
  const invocationTelemetryBefore: Stack['before'] = async ({ context }) => {
    (await holder.current()).begin(context);
  };
  const invocationTelemetryAfter: Stack['after'] = async () => {
    (await holder.current()).flush();
  };
  const invocationTelemetryOnError: Stack['onError'] = async ({ error }) => {
    // Without a connection there is nothing to write metrics with; Lambda logs the error itself.
    const connection = await holder.current().catch(() => undefined);
    connection?.ports.telemetry.log.error('invocation failed; Lambda sends the whole event again', { error });
    connection?.flush();
  };
  return { before: invocationTelemetryBefore, after: invocationTelemetryAfter, onError: invocationTelemetryOnError };
}
