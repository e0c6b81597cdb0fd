import { type ConsumerEnvironment, ENVIRONMENT, readEnvironment } from '../environment.ts';
import { LockstepError } from '../errors.ts';

/** What the relay and the operator function of a consumer know besides what the consumer's own function does. */
export interface OperationsEnvironment extends ConsumerEnvironment {
  /** Cluster uuid, as the ledger's keys have it. */
  readonly cluster: string;
  readonly clusterArn: string;
  /** The source. */
  readonly topic: string;
  /** `host:port`, separated by commas; else MSK is asked. */
  readonly bootstrapServers?: string;
  /** As the handler's `retry` has it: letters name it. */
  readonly maxAttempts: number;
}

/** Names of the variables that only these functions have. */
export const CARETAKER_ENVIRONMENT = {
  cluster: 'LOCKSTEP_CLUSTER',
  clusterArn: 'LOCKSTEP_CLUSTER_ARN',
  topic: 'LOCKSTEP_TOPIC',
  bootstrapServers: 'LOCKSTEP_BOOTSTRAP_SERVERS',
  maxAttempts: 'LOCKSTEP_MAX_ATTEMPTS',
} as const satisfies Record<Exclude<keyof OperationsEnvironment, keyof ConsumerEnvironment>, string>;

/** Reads the environment once, at cold start. @throws LockstepError ENVIRONMENT_INVALID naming the variable */
export function readOperationsEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
): OperationsEnvironment {
  const required = (name: string) => {
    const value = variables[name];
    if (value === undefined || value === '')
      throw new LockstepError('ENVIRONMENT_INVALID', `environment variable ${name} is not set`);
    return value;
  };
  const maxAttempts = Number(required(CARETAKER_ENVIRONMENT.maxAttempts));
  if (!(maxAttempts >= 1)) {
    const what = `expected environment variable ${CARETAKER_ENVIRONMENT.maxAttempts} to be a number >= 1 or Infinity`;
    throw new LockstepError('ENVIRONMENT_INVALID', `${what}, got \`${variables[CARETAKER_ENVIRONMENT.maxAttempts]}\``);
  }
  const bootstrapServers = variables[CARETAKER_ENVIRONMENT.bootstrapServers];
  return {
    ...readEnvironment({ ...variables, [ENVIRONMENT.failureMode]: 'report' }),
    cluster: required(CARETAKER_ENVIRONMENT.cluster),
    clusterArn: required(CARETAKER_ENVIRONMENT.clusterArn),
    topic: required(CARETAKER_ENVIRONMENT.topic),
    ...(bootstrapServers && { bootstrapServers }),
    maxAttempts,
  };
}
