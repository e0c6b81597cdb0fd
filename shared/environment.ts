import type { Deployment } from './deployment.ts';
import { LockstepError } from './errors.ts';

/** How the function authenticates to the brokers. `none`: plaintext, for a local broker. */
export type KafkaAuth = (typeof KAFKA_AUTHS)[number];

const KAFKA_AUTHS = ['iam', 'scram', 'scram-256', 'plain', 'mtls', 'tls', 'none'] as const;

const WITHOUT_SECRET: readonly KafkaAuth[] = ['iam', 'tls', 'none'];

/** What the LockstepConsumer construct knows and the function needs. Only this file names the environment variables. */
export interface ConsumerEnvironment extends Deployment {
  readonly ledgerTable: string;
  readonly consumerGroup: string;
  readonly deadLetterTopic: string;
  readonly fallbackQueueUrl: string;
  /** Or the `clusterId` of a self-managed cluster. */
  readonly clusterArn: string;
  /** `host:port`, separated by commas. @default MSK is asked for the brokers of `clusterArn` */
  readonly bootstrapServers?: string;
  readonly kafkaAuth: KafkaAuth;
  /** Secrets Manager ARN of the credentials; with `kafkaAuth` `scram`, `scram-256`, `plain` or `mtls`. */
  readonly kafkaSecretArn?: string;
  /** Secrets Manager ARN of the authority that signed the brokers' certificates. @default those that Node trusts */
  readonly kafkaRootArn?: string;
  /**
   * The mapping decodes values with a schema registry. Dead letters need the original bytes, which are read back from Kafka.
   */
  readonly valuesDecodedByMapping: boolean;
  /** `report`: partial batch answers (provisioned mode). `throw`: throw after the commit (on-demand mode). */
  readonly failureMode: 'report' | 'throw';
  /** Where the consumer is, for the commands that log lines name: `--stack Prod --consumer Orders`. */
  readonly commandTarget?: string;
  /** Of relay and operator function: the consumer function, which they invoke to release parked keys. */
  readonly consumerFunction?: string;
  /** Of the relay: it tries parked keys again by itself, so often, so many times. */
  readonly releaseEveryMs?: number;
  readonly releaseMaxRounds?: number;
  /** Namespace and dimensions of the metrics. The stack is absent where no construct has set it. */
  readonly metricsNamespace: string;
  readonly serviceName: string;
  readonly stackName?: string;
}

/** Variable names, shared with the construct that sets them. */
export const ENVIRONMENT = {
  ledgerTable: 'LOCKSTEP_LEDGER_TABLE',
  consumerGroup: 'LOCKSTEP_CONSUMER_GROUP',
  deadLetterTopic: 'LOCKSTEP_DEAD_LETTER_TOPIC',
  fallbackQueueUrl: 'LOCKSTEP_FALLBACK_QUEUE_URL',
  eventSourceArn: 'LOCKSTEP_EVENT_SOURCE_ARN',
  topic: 'LOCKSTEP_TOPIC',
  maxAttempts: 'LOCKSTEP_MAX_ATTEMPTS',
  maxInterruptions: 'LOCKSTEP_MAX_INTERRUPTIONS',
  onExhausted: 'LOCKSTEP_ON_EXHAUSTED',
  consumerFunction: 'LOCKSTEP_CONSUMER_FUNCTION',
  releaseEveryMs: 'LOCKSTEP_RELEASE_EVERY_MS',
  releaseMaxRounds: 'LOCKSTEP_RELEASE_MAX_ROUNDS',
  keyNamespaces: 'LOCKSTEP_KEY_NAMESPACES',
  clusterArn: 'LOCKSTEP_CLUSTER_ARN',
  bootstrapServers: 'LOCKSTEP_BOOTSTRAP_SERVERS',
  kafkaAuth: 'LOCKSTEP_KAFKA_AUTH',
  kafkaSecretArn: 'LOCKSTEP_KAFKA_SECRET_ARN',
  kafkaRootArn: 'LOCKSTEP_KAFKA_ROOT_ARN',
  valuesDecodedByMapping: 'LOCKSTEP_VALUES_DECODED_BY_MAPPING',
  failureMode: 'LOCKSTEP_FAILURE_MODE',
  commandTarget: 'LOCKSTEP_COMMAND_TARGET',
  metricsNamespace: 'POWERTOOLS_METRICS_NAMESPACE',
  serviceName: 'POWERTOOLS_SERVICE_NAME',
  stackName: 'LOCKSTEP_STACK',
} as const satisfies Record<keyof ConsumerEnvironment, string>;

/** Separates key namespaces. No namespace contains it. */
export const NAMESPACE_SEPARATOR = '#';

/**
 * Reads the environment once, at cold start.
 *
 * @throws LockstepError ENVIRONMENT_INVALID naming the variable, what was expected and what it is
 */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): ConsumerEnvironment {
  const required = (name: string) => {
    const value = variables[name];
    if (value === undefined || value === '')
      throw new LockstepError('ENVIRONMENT_INVALID', `environment variable ${name} is not set`);
    return value;
  };
  const oneOf = <const T extends string>(name: string, allowed: readonly T[], fallback: T): T => {
    const value = variables[name];
    if (value === undefined || value === '') return fallback;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) {
      const list = allowed.map((candidate) => `\`${candidate}\``).join(', ');
      throw new LockstepError(
        'ENVIRONMENT_INVALID',
        `expected environment variable ${name} to be one of ${list}, got \`${value}\``,
      );
    }
    return found;
  };
  const count = (name: string): number => {
    const value = required(name);
    if (/^(?:[1-9]\d*|Infinity)$/.test(value)) return Number(value);
    throw new LockstepError(
      'ENVIRONMENT_INVALID',
      `expected environment variable ${name} to be a whole number from 1, or Infinity, got \`${value}\``,
    );
  };
  const bootstrapServers = variables[ENVIRONMENT.bootstrapServers];
  const kafkaRootArn = variables[ENVIRONMENT.kafkaRootArn];
  const consumerFunction = variables[ENVIRONMENT.consumerFunction];
  const releaseEveryMs = variables[ENVIRONMENT.releaseEveryMs];
  const commandTarget = variables[ENVIRONMENT.commandTarget];
  const stackName = variables[ENVIRONMENT.stackName];
  const kafkaAuth = oneOf(ENVIRONMENT.kafkaAuth, KAFKA_AUTHS, 'iam');
  return {
    ledgerTable: required(ENVIRONMENT.ledgerTable),
    consumerGroup: required(ENVIRONMENT.consumerGroup),
    deadLetterTopic: required(ENVIRONMENT.deadLetterTopic),
    fallbackQueueUrl: required(ENVIRONMENT.fallbackQueueUrl),
    eventSourceArn: required(ENVIRONMENT.eventSourceArn),
    topic: required(ENVIRONMENT.topic),
    maxAttempts: count(ENVIRONMENT.maxAttempts),
    maxInterruptions: count(ENVIRONMENT.maxInterruptions),
    onExhausted: oneOf(ENVIRONMENT.onExhausted, ['deadLetter', 'park'], 'deadLetter'),
    ...(consumerFunction && { consumerFunction }),
    ...(releaseEveryMs && {
      releaseEveryMs: count(ENVIRONMENT.releaseEveryMs),
      releaseMaxRounds: count(ENVIRONMENT.releaseMaxRounds),
    }),
    keyNamespaces: required(ENVIRONMENT.keyNamespaces).split(NAMESPACE_SEPARATOR),
    clusterArn: required(ENVIRONMENT.clusterArn),
    ...(bootstrapServers && { bootstrapServers }),
    kafkaAuth,
    ...(!WITHOUT_SECRET.includes(kafkaAuth) && { kafkaSecretArn: required(ENVIRONMENT.kafkaSecretArn) }),
    ...(kafkaRootArn && { kafkaRootArn }),
    valuesDecodedByMapping: oneOf(ENVIRONMENT.valuesDecodedByMapping, ['true', 'false'], 'false') === 'true',
    failureMode: oneOf(ENVIRONMENT.failureMode, ['report', 'throw'], 'report'),
    ...(commandTarget && { commandTarget }),
    metricsNamespace: variables[ENVIRONMENT.metricsNamespace] || 'Lockstep',
    serviceName: variables[ENVIRONMENT.serviceName] || required(ENVIRONMENT.consumerGroup),
    ...(stackName && { stackName }),
  };
}
