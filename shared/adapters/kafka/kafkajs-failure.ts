/** What a failed request to a broker means. */
type KafkaFailure = 'unreachable' | 'transient' | 'tooLarge' | 'refused';

/** A failure: its name, from the broker or from kafkajs, and its text. */
export interface ReadFailure {
  readonly type: KafkaFailure;
  readonly reason: string;
  readonly cause: unknown;
}

/** Names of kafkajs errors after which the connection cannot be used. */
const CONNECTION_ERRORS = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSLockTimeout',
  'KafkaJSBrokerNotFound',
  'KafkaJSSASLAuthenticationError',
]);

/** What a broker answers to a client that it does not let in. */
const AUTHENTICATION_ERRORS = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
]);

/**
 * Classifies an error of kafkajs. `unreachable`: no connection, or a dead one. `transient`: a new leader, too few replicas, or
 * a topic that is being created; it passes by itself. `tooLarge`: the topic takes no record of this size. `refused`: final, for
 * example a missing permission.
 */
export function readKafkaFailure(error: unknown): ReadFailure {
  const cause = innermost(error);
  const { name, type, retriable, message } = fieldsOf(cause);
  const reason = typeof type === 'string' ? type : [name, message].filter((part) => part !== undefined).join(': ');
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') return { type: 'tooLarge', reason, cause };
  const isShutOut = typeof type === 'string' && AUTHENTICATION_ERRORS.has(type);
  if (isShutOut || (typeof name === 'string' && CONNECTION_ERRORS.has(name)))
    return { type: 'unreachable', reason, cause };
  if (retriable === true) return { type: 'transient', reason, cause };
  // Neither an answer of a broker nor an error of kafkajs: a token that could not be signed, a secret that could not be read, a
  // bug.
  return { type: typeof type === 'string' ? 'refused' : 'unreachable', reason, cause };
}

/** kafkajs wraps errors that it will not retry. The innermost error says what happened. */
function innermost(error: unknown): unknown {
  let current = error;
  for (let depth = 0; depth < 5; depth++) {
    const { name, cause } = fieldsOf(current);
    if (name !== 'KafkaJSNumberOfRetriesExceeded' && name !== 'KafkaJSNonRetriableError') break;
    if (cause === undefined || cause === null) break;
    current = cause;
  }
  return current;
}

function fieldsOf(error: unknown): Partial<Record<'name' | 'type' | 'retriable' | 'message' | 'cause', unknown>> {
  return typeof error === 'object' && error !== null ? error : { message: error };
}
