import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { connect } from './connect.ts';
import { type Connection, ConnectionHolder, rememberHolder } from './connection.ts';
import type { KafkaBatchResponse } from './decide/batch-response.ts';
import { checkDeployedOptions, checkEventSource } from './deployment.ts';
import type { LockstepHandler } from './lockstep-handler.ts';
import { type ConsumerRequest, endTelemetry, invocationTelemetry } from './middleware/invocation-telemetry.ts';
import { MiddlewareGuard } from './middleware/middleware-guard.ts';
import { type ConsumerOptions, checkOptions, resolveOptions } from './options.ts';
import type { KafkaEvent } from './record/kafka-event.ts';
import { Invocation } from './runtime/invocation.ts';
import { processBatch } from './runtime/process-batch.ts';

export { BatchFailure, LockstepError, NonRetryableError, PauseError, TransactRefusedError } from './errors.ts';
export type { HandlerMiddleware, HandlerRequest, LockstepHandler } from './lockstep-handler.ts';
export { byPosition, type ConsumerOptions, type RetryOptions, type TuningOptions } from './options.ts';
export type { ConsumerRecord } from './record/consumer-record.ts';
export { bytes, type JsonOptions, json, text, type ValueDecoder } from './record/decode.ts';
export type { HandlerResult, OnBatch, OnRecord, ProducedRecord, RecordContext } from './runtime/consumer.ts';
export type { TransactAction } from './transact-action.ts';

/**
 * Makes the handler of a Lambda function that an Amazon MSK event source mapping feeds. It keeps order, survives crashes and
 * never loses a record. docs/guarantees.md states what it guarantees and what that costs.
 *
 * The middy stack, outermost first: telemetry, which adds the request id to each log line and writes the metrics however the
 * invocation ends; then your middlewares from `.use(…)`; then the consumer. So your middlewares see the event as Lambda sent it
 * and the answer as Lambda gets it. They may change neither (EVENT_CHANGED, ANSWER_CHANGED). When one throws, Lambda delivers
 * the whole event again, and settled records are skipped.
 *
 * @throws LockstepError OPTIONS_INVALID at once, naming the option. The first invocation reads the environment, and compares
 * the options with those given to the construct.
 */
export function lockstepConsumer<V>(options: ConsumerOptions<V>): LockstepHandler {
  checkOptions(options);
  const holder = new ConnectionHolder(connect);
  const resolve = oncePer(({ environment, deployment }: Connection) => {
    const consumer = resolveOptions(options, environment);
    if (deployment !== undefined) checkDeployedOptions(consumer.policy, deployment);
    return consumer;
  });
  holder.check = resolve;
  const guard = new MiddlewareGuard();
  const handler: LockstepHandler = middy<KafkaEvent, KafkaBatchResponse, Error, Context>({
    // The runtime watches the deadline itself. middy's timer would outlive an invocation that never ends, and keep a test's
    // process alive.
    timeoutEarlyInMillis: 0,
    requestStart: (request: ConsumerRequest) => guard.begin(request),
    requestEnd: (request: ConsumerRequest) => endRequest(request, guard, holder),
  })
    .use(invocationTelemetry(holder))
    .handler(async (event, context) => {
      const connection = await holder.current(context);
      const { ports, deployment } = connection;
      const consumer = resolve(connection);
      if ('lockstep' in event) {
        // Only who parks keys pays for its code.
        const { release } = await import('./release/release.ts');
        const answer = await release(consumer, event, context, connection);
        guard.answered(context, answer);
        return answer;
      }
      const arrived = guard.delivered(event, context);
      const delivered = deployment === undefined ? arrived : checkEventSource(arrived, deployment);
      const invocation = new Invocation(context.awsRequestId, context.getRemainingTimeInMillis(), ports.clock);
      const { response, reports } = await processBatch(consumer, delivered, invocation, ports);
      connection.ended?.(reports);
      guard.answered(context, response);
      return response;
    });
  rememberHolder(handler, holder);
  return handler;
}

/** Runs last: checks the answer that Lambda gets, and ends the telemetry. */
async function endRequest(request: ConsumerRequest, guard: MiddlewareGuard, holder: ConnectionHolder): Promise<void> {
  const { context, error, response } = request;
  // Without a response Lambda gets the error.
  if (error !== null && error !== undefined && response === undefined) return endTelemetry(holder, context, error);
  try {
    guard.check(request);
  } catch (changed) {
    await endTelemetry(holder, context, changed);
    throw changed;
  }
  await endTelemetry(holder, context);
}

/** Resolves options once for each connection: in production once. */
function oncePer<K extends object, T>(make: (key: K) => T): (key: K) => T {
  let last: { readonly key: K; readonly value: T } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, value: make(key) };
    return last.value;
  };
}
