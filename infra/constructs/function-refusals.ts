import { existsSync } from 'node:fs';
import type { Refusal } from './refusal.ts';

/** Lambda's limit for Kafka mappings. https://docs.aws.amazon.com/lambda/latest/dg/with-kafka-process.html */
export const MAXIMUM_TIMEOUT_SECONDS = 14 * 60;

/** The ledger's default lease: a shorter invocation could neither renew nor release a partition. */
export const MINIMUM_TIMEOUT_SECONDS = 15;

const OURS = /^(LOCKSTEP_|POWERTOOLS_METRICS_NAMESPACE$|POWERTOOLS_SERVICE_NAME$|NODE_OPTIONS$)/;

/** Whatever CDK calls their properties in a later version. */
const IMPOSSIBLE = /^(tenancy|durable|capacityProvider)/;

/** Settings of the function. */
export const FUNCTION_REFUSALS = {
  LOCKSTEP_TIMEOUT_OVER_14_MINUTES: {
    property: 'timeout',
    because: 'A timeout over 14 minutes: Lambda refuses it for Kafka mappings.',
    fix: 'Set `timeout` to 14 minutes or less',
    objection: (s) =>
      s.timeoutSeconds > MAXIMUM_TIMEOUT_SECONDS
        ? `${s.timeoutSeconds} s is more than the 840 s that Lambda allows functions fed from Kafka`
        : undefined,
  },
  LOCKSTEP_TIMEOUT_TOO_SHORT: {
    property: 'timeout',
    because:
      'A timeout under 15 s: the ledger’s lease lasts 15 s, and back-off and dead letters need time before the deadline.',
    fix: 'Set `timeout` to 15 s or more',
    objection: (s) =>
      s.timeoutSeconds < MINIMUM_TIMEOUT_SECONDS
        ? `${s.timeoutSeconds} s leave no time for a lease of 15 s, a back-off and a dead letter before the deadline`
        : undefined,
  },
  LOCKSTEP_RESERVED_CONCURRENCY_ZERO: {
    property: 'functionProps.reservedConcurrentExecutions',
    because: 'Reserved concurrency 0: the function never runs, and no error shows that.',
    fix: 'Drop it or raise it; to stop consuming, disable the mapping with `lockstep pause`',
    objection: (s) =>
      s.reservedConcurrency === 0 ? 'with a reserved concurrency of 0 the function never runs' : undefined,
  },
  LOCKSTEP_FUNCTION_PROPS_IMPOSSIBLE: {
    property: 'functionProps',
    because:
      'Tenancy (a Kafka mapping names no tenant), durable execution (it starts anew with each retry of a mapping) or managed instances (they run several batches in one process, which crash isolation was not tested with).',
    fix: 'Remove the property',
    objection: ({ functionProps }) => {
      const found = functionProps.filter((name) => IMPOSSIBLE.test(name));
      return found.length === 0
        ? undefined
        : `a function that is fed from Kafka cannot work with ${found.map((name) => `\`${name}\``).join(', ')}`;
    },
  },
  LOCKSTEP_ENVIRONMENT_RESERVED: {
    property: 'environment',
    because:
      'An environment variable that the construct sets (`LOCKSTEP_*`, Powertools’ namespace and service, `NODE_OPTIONS`): alarms and ledger depend on it.',
    fix: 'Remove the variable; `consumerName`, `consumerGroup`, `ledger` and `deadLetterTopic` set them',
    objection: (s) => {
      const taken = Object.keys(s.environment).filter((name) => OURS.test(name));
      return taken.length === 0
        ? undefined
        : `${taken.map((name) => `\`${name}\``).join(', ')} would override what the construct sets`;
    },
  },
  LOCKSTEP_ENTRY_MISSING: {
    property: 'entry',
    because: 'An entry that is not a file.',
    fix: 'Give the path of the module that exports the handler, relative to the working directory',
    objection: (s) => (existsSync(s.entry) ? undefined : `\`${s.entry}\` does not exist in ${process.cwd()}`),
  },
} as const satisfies Record<string, Refusal>;
