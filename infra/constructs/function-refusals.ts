import { existsSync } from 'node:fs';
import { Stack } from 'aws-cdk-lib';
import { CfnGlobalTable, CfnTable } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
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
    because: 'An entry that is not a file, or none.',
    fix: 'Give the path of the module that exports the handler, relative to the working directory, or a `function`',
    objection: ({ entry, existing }) =>
      existing !== undefined || existsSync(entry ?? '') ? undefined : `\`${entry}\` does not exist in ${process.cwd()}`,
  },
  LOCKSTEP_FUNCTION_IMPORTED: {
    property: 'function',
    because:
      'A function that this app does not make: its environment, which tells it the ledger and the topics, cannot be set.',
    fix: 'Give a function of this app, or an alias of one, or `entry`',
    objection: ({ existing }) =>
      existing !== undefined && existing.function === undefined
        ? 'the function is imported, so its environment cannot be set'
        : undefined,
  },
  LOCKSTEP_FUNCTION_HAS_ITS_OWN: {
    property: 'function',
    because:
      'A function that exists, together with a property of a new one (`entry`, `timeout`, `memoryMiB`, `environment`, `role`, …): it would have no effect.',
    fix: 'Set them on the function itself, or drop `function`',
    objection: ({ existing }) =>
      existing === undefined || existing.ignored.length === 0
        ? undefined
        : `with it ${existing.ignored.map((name) => `\`${name}\``).join(', ')} would have no effect`,
  },
  LOCKSTEP_FUNCTION_ELSEWHERE: {
    property: 'function',
    because: 'A function without VPC beside a cluster in one: it could not write a dead letter.',
    fix: 'Set `vpc`, `vpcSubnets` and `securityGroups` of the function so that it reaches the brokers',
    objection: ({ existing, cluster }) =>
      existing?.function?.isBoundToVpc === false && cluster.vpcId !== undefined
        ? `the function is in no VPC, and the cluster is in ${cluster.vpcId}`
        : undefined,
  },
  LOCKSTEP_LEDGER_UNFIT: {
    property: 'ledger',
    because: 'A table that has not the partition key `pk` (a string) alone, or not the TTL attribute `expiresAt`.',
    fix: 'Make the table with `new LedgerTable(…)`, or with these two',
    objection: ({ ledgerTable }) => unfit(ledgerTable),
  },
} as const satisfies Record<string, Refusal>;

/** What is wrong with a table of this app as a ledger. Of an imported one nothing is known. */
function unfit(table: unknown): string | undefined {
  const resource = table instanceof Construct ? table.node.defaultChild : undefined;
  if (!(resource instanceof CfnTable) && !(resource instanceof CfnGlobalTable)) return undefined;
  const { keySchema, attributeDefinitions, timeToLiveSpecification } = resource;
  const resolved = Stack.of(resource).resolve({ keySchema, attributeDefinitions, timeToLiveSpecification });
  const keys = resolved.keySchema.map(({ attributeName }: CfnTable.KeySchemaProperty) => attributeName);
  const type = resolved.attributeDefinitions?.find(
    ({ attributeName }: CfnTable.AttributeDefinitionProperty) => attributeName === 'pk',
  )?.attributeType;
  if (keys.join() !== 'pk' || type !== 'S') return `its key is ${keys.join(' and ')}, and not \`pk\` alone as a string`;
  return resolved.timeToLiveSpecification?.attributeName === 'expiresAt'
    ? undefined
    : 'items that have expired would be kept: its TTL attribute is not `expiresAt`';
}
