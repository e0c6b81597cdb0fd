import type { Context } from 'aws-lambda';
import type { KafkaBatchResponse } from './decide/batch-response.ts';
import type { KafkaEvent } from './record/kafka-event.ts';

/** What a middleware gets of one invocation. It may hand on a copy of the event or of the response, but change neither. */
export interface HandlerRequest {
  event: KafkaEvent;
  readonly context: Context;
  response: KafkaBatchResponse | null | undefined;
  readonly error: Error | null | undefined;
  readonly internal: Record<string, unknown>;
}

/**
 * A middy middleware. Declared here, and with methods, so that any middleware fits that fits an event from Kafka: middy's own
 * declarations do not compile without its optional peers.
 */
export interface HandlerMiddleware {
  before?(request: HandlerRequest): unknown;
  after?(request: HandlerRequest): unknown;
  onError?(request: HandlerRequest): unknown;
}

/** A Lambda handler; `.use(…)` takes any middy middleware. */
export interface LockstepHandler {
  (event: KafkaEvent, context: Context): Promise<KafkaBatchResponse>;
  /** Adds middlewares. The first one sees the event first, and the answer last. */
  use(middlewares: HandlerMiddleware | HandlerMiddleware[]): LockstepHandler;
}
