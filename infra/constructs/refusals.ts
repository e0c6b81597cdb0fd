import { existsSync } from 'node:fs';
import { Token } from 'aws-cdk-lib';
import type { ConsumerSettings } from './consumer-settings.ts';
import { LETTER_HEADROOM_BYTES } from './dead-letter-topic.ts';
import { isClusterArn } from './kafka-cluster.ts';

/** A combination that synth refuses. */
export interface Refusal {
  /** The property to look at. */
  readonly property: string;
  /** What is refused and what would happen otherwise, for the table in docs/deploying.md. */
  readonly because: string;
  /** What to do. */
  readonly fix: string;
  /** What is wrong with these settings, `undefined` where nothing is. */
  readonly objection: (settings: ConsumerSettings) => string | undefined;
}

/** Lambda's limit for Kafka mappings. https://docs.aws.amazon.com/lambda/latest/dg/with-kafka-process.html */
export const MAXIMUM_TIMEOUT_SECONDS = 14 * 60;

/** The ledger's default lease: an invocation that cannot outlive it could neither renew nor give back a partition. */
export const MINIMUM_TIMEOUT_SECONDS = 15;

const TOPIC_NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/;
const LITERAL_NAME = /^[^*?$#\s]{1,200}$/;
const OURS = /^(LOCKSTEP_|POWERTOOLS_METRICS_NAMESPACE$|POWERTOOLS_SERVICE_NAME$|NODE_OPTIONS$)/;

/** Every refusal by its code. CDK accepts most of these silently. */
export const REFUSALS = {
  LOCKSTEP_PARTIAL_ANSWERS_ON_DEMAND: {
    property: 'failureMode',
    because: "`failureMode: 'report'` in on-demand mode: Lambda ignores the partial answer and commits what failed.",
    fix: "Drop `mode: 'on-demand'`, or set `failureMode: 'throw'`",
    objection: (s) =>
      s.mode === 'on-demand' && s.failureMode === 'report'
        ? "`failureMode: 'report'` answers in part, but a mapping in on-demand mode ignores partial answers and would commit what failed"
        : undefined,
  },
  LOCKSTEP_REGISTRY_ON_DEMAND: {
    property: 'schemaRegistry',
    because: 'A schema registry in on-demand mode: only provisioned mappings decode.',
    fix: "Drop `mode: 'on-demand'`, or decode in the handler's `value`",
    objection: (s) => (s.mode === 'on-demand' && s.decodesValues ? 'it needs a provisioned mapping' : undefined),
  },
  LOCKSTEP_REGISTRY_WITHOUT_NET: {
    property: 'onFailureNet',
    because:
      'A schema registry without a net: values that fail in the registry never reach the function and are dropped.',
    fix: 'Set `onFailureNet: { retryAttempts: … }`',
    objection: (s) =>
      s.decodesValues && s.netRetryAttempts === undefined
        ? 'without it Lambda drops every value that the registry cannot decode, before the function sees it'
        : undefined,
  },
  LOCKSTEP_NET_ON_DEMAND: {
    property: 'onFailureNet',
    because: 'A net in on-demand mode: the mapping would refuse or ignore it.',
    fix: "Drop `onFailureNet`, or drop `mode: 'on-demand'`",
    objection: (s) =>
      s.mode === 'on-demand' && s.netRetryAttempts !== undefined ? 'it needs a provisioned mapping' : undefined,
  },
  LOCKSTEP_NET_WITH_INFINITE_ATTEMPTS: {
    property: 'onFailureNet',
    because: '`maxAttempts: Infinity` with a net: the net would take away the record that is meant to stand still.',
    fix: 'Drop `onFailureNet`, or set `maxAttempts` to a number',
    objection: (s) =>
      s.netRetryAttempts !== undefined && s.maxAttempts === Number.POSITIVE_INFINITY
        ? `it would take blocked records away after ${s.netRetryAttempts} retries, but \`maxAttempts: Infinity\` promises to stand still`
        : undefined,
  },
  LOCKSTEP_NET_TOO_EAGER: {
    property: 'onFailureNet.retryAttempts',
    because:
      'Net retries not above five times the attempts and interruptions of the handler, or over 10,000: batches that wait (back-off, gate, busy, untried tail) use them up too and would leave the partition untried.',
    fix: 'Raise `onFailureNet.retryAttempts` (at most 10,000), or lower `retry`',
    objection: ({ netRetryAttempts: retries, maxAttempts, maxInterruptions }) => {
      if (retries === undefined || maxAttempts === Number.POSITIVE_INFINITY) return undefined;
      const least = 5 * (maxAttempts + maxInterruptions);
      return Number.isInteger(retries) && retries > least && retries <= 10_000
        ? undefined
        : `expected more than ${least} retries (five times \`maxAttempts\` ${maxAttempts} and \`maxInterruptions\` ${maxInterruptions}) and at most 10,000, got \`${retries}\`: Lambda would put records into the net before the handler gave up on them`;
    },
  },
  LOCKSTEP_DEAD_LETTER_TOPIC_IS_SOURCE: {
    property: 'deadLetterTopic',
    because: 'Dead-letter topic = source topic: letters would be consumed as records, and fail again, for ever.',
    fix: 'Name another topic, or drop `deadLetterTopic` to have one made',
    objection: (s) =>
      s.deadLetterTopic.topicName === s.source.topicName
        ? `\`${s.source.topicName}\` is also the source topic: letters would be consumed again as records`
        : undefined,
  },
  LOCKSTEP_DEAD_LETTER_TOPIC_TOO_SMALL: {
    property: 'deadLetterTopic.maxRecordBytes',
    because:
      'A dead-letter topic whose record limit is not 64 KiB above the source’s: the largest records could never leave.',
    fix: 'Raise `max.message.bytes` of the dead-letter topic and say so in `deadLetterTopic.maxRecordBytes`',
    objection: ({ deadLetterTopic, source }) => {
      const least = source.maxRecordBytes + LETTER_HEADROOM_BYTES;
      return deadLetterTopic.maxRecordBytes < least
        ? `\`${deadLetterTopic.topicName}\` takes records of ${deadLetterTopic.maxRecordBytes} bytes, but letters of \`${source.topicName}\` need ${least}: its ${source.maxRecordBytes} and 64 KiB for headers`
        : undefined;
    },
  },
  LOCKSTEP_TOPIC_NAME_INVALID: {
    property: 'topic',
    because: 'A topic name that Kafka refuses or that would widen a grant (`*`, `?`, blanks, over 249 characters).',
    fix: 'Use letters, digits, `.`, `_` and `-`',
    objection: (s) => {
      const wrong = [s.source.topicName, s.deadLetterTopic.topicName, ...s.producesTo].find(
        (name) => !known(name, TOPIC_NAME),
      );
      return wrong === undefined ? undefined : `\`${wrong}\` is no name of a Kafka topic`;
    },
  },
  LOCKSTEP_GROUP_HIDES_LAG: {
    property: 'consumerGroup',
    because:
      'A consumer group with `:` or non-ASCII characters: MSK leaves out its lag metrics, so lag alarms stay silent.',
    fix: 'Use letters, digits, `.`, `_` and `-`',
    objection: (s) =>
      known(s.consumerGroup, /^[^:\u0080-\uffff]*$/)
        ? undefined
        : `MSK publishes no lag metrics for the group \`${s.consumerGroup}\` (a colon or a non-ASCII character), so its lag alarm would never fire`,
  },
  LOCKSTEP_NAME_WIDENS_GRANT: {
    property: 'consumerGroup',
    because:
      'A group or key namespace with `*`, `?`, `$` or `#`: a wildcard in the grants, or a separator in the ledger’s keys.',
    fix: 'Use letters, digits, `.`, `_` and `-`, 1 to 200 of them',
    objection: (s) => {
      const names = [s.consumerGroup, ...s.keyNamespaces];
      const wrong = names.find((name) => !known(name, LITERAL_NAME));
      return wrong === undefined
        ? undefined
        : `\`${wrong}\` holds characters that mean something else in a grant or in the ledger's keys, or is empty or over 200 characters`;
    },
  },
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
      'A timeout under 15 s: the ledger’s lease lasts 15 s, back-off and letters need their time before the deadline.',
    fix: 'Set `timeout` to 15 s or more',
    objection: (s) =>
      s.timeoutSeconds < MINIMUM_TIMEOUT_SECONDS
        ? `${s.timeoutSeconds} s leave no room for a lease of 15 s, a back-off and a letter before the deadline`
        : undefined,
  },
  LOCKSTEP_BATCH_SIZE_OUT_OF_RANGE: {
    property: 'batchSize',
    because: 'A batch size outside 1 to 10,000: CDK only warns, CloudFormation fails in mid-deployment.',
    fix: 'Set `batchSize` to a whole number from 1 to 10,000',
    objection: ({ batchSize }) =>
      within(batchSize, 1, 10_000) ? undefined : `expected 1 to 10,000, got \`${batchSize}\``,
  },
  LOCKSTEP_WINDOW_OUT_OF_RANGE: {
    property: 'batchingWindow',
    because: 'A batching window that is not whole seconds from 0 to 300, or leaves the function’s timeout no meaning.',
    fix: 'Set `batchingWindow` to whole seconds from 0 to 300, or drop it for 500 ms',
    objection: ({ batchingWindowMs }) =>
      batchingWindowMs === undefined || (batchingWindowMs % 1000 === 0 && within(batchingWindowMs / 1000, 0, 300))
        ? undefined
        : `expected whole seconds from 0 to 300, got \`${batchingWindowMs}\` ms`,
  },
  LOCKSTEP_POLLERS_OUT_OF_RANGE: {
    property: 'pollers',
    because: 'Pollers outside 1–200 (minimum) or 1–2,000 (maximum), or a minimum above the maximum.',
    fix: 'Set `pollers: { minimum: 1–200, maximum: 1–2,000 }`, minimum not above maximum',
    objection: ({ pollers: { minimum, maximum } }) =>
      within(minimum, 1, 200) && within(maximum, 1, 2000) && minimum <= maximum
        ? undefined
        : `expected a minimum of 1 to 200 and a maximum of 1 to 2,000, not below it, got \`${minimum}\` and \`${maximum}\``,
  },
  LOCKSTEP_POLLERS_ABOVE_PARTITIONS: {
    property: 'pollers.maximum',
    because: 'More pollers than the topic has partitions: the rest would idle, and count in the poller group.',
    fix: 'Lower `pollers.maximum`, or give the topic more partitions',
    objection: ({ pollers, source }) =>
      source.partitions !== undefined && pollers.maximum > source.partitions
        ? `${pollers.maximum} pollers cannot share the ${source.partitions} partitions of \`${source.topicName}\``
        : undefined,
  },
  LOCKSTEP_START_LOSES_RECORDS: {
    property: 'startFrom',
    because: "`startFrom: 'LATEST'`: what is written while the mapping is made or updated (minutes) is never read.",
    fix: "Drop `startFrom`, or set it to a point in time: `startFrom: new Date('2026-11-21T00:00:00Z')`",
    objection: (s) =>
      s.startFrom === 'LATEST'
        ? 'with `LATEST`, records written while the mapping is made or updated are never read'
        : undefined,
  },
  LOCKSTEP_RESERVED_CONCURRENCY_ZERO: {
    property: 'functionProps.reservedConcurrentExecutions',
    because: 'Reserved concurrency 0: the function never runs, and the partitions stand still without an error.',
    fix: 'Drop it or raise it; to stop consuming, disable the mapping with `lockstep pause`',
    objection: (s) =>
      s.reservedConcurrency === 0 ? 'with a reserved concurrency of 0 the function never runs' : undefined,
  },
  LOCKSTEP_ENVIRONMENT_RESERVED: {
    property: 'environment',
    because:
      'A variable of ours (`LOCKSTEP_*`, Powertools’ namespace and service, `NODE_OPTIONS`): alarms and ledger rest on them.',
    fix: 'Remove the variable; `consumerName`, `consumerGroup`, `ledger` and `deadLetterTopic` set them',
    objection: (s) => {
      const taken = Object.keys(s.environment).filter((name) => OURS.test(name));
      return taken.length === 0
        ? undefined
        : `${taken.map((name) => `\`${name}\``).join(', ')} would override what the construct sets`;
    },
  },
  LOCKSTEP_FUNCTION_OUTSIDE_VPC: {
    property: 'cluster',
    because:
      'A cluster without VPC, subnets and security groups (other than plaintext on loopback): the function could not write a dead letter.',
    fix: 'Set `vpcId`, `subnetIds` and `securityGroupIds` of the cluster',
    objection: ({ cluster }) => {
      const groups = (cluster.securityGroupIds?.length ?? 0) + (cluster.securityGroups?.length ?? 0);
      const complete = cluster.vpcId !== undefined && (cluster.subnetIds?.length ?? 0) > 0 && groups > 0;
      return complete || (cluster.auth === 'none' && cluster.vpcId === undefined)
        ? undefined
        : 'without VPC, subnets and security groups the function cannot reach the brokers, so no record could ever be dead-lettered';
    },
  },
  LOCKSTEP_CLUSTER_ARN_INVALID: {
    property: 'cluster.clusterArn',
    because: 'An ARN that is no MSK cluster’s: grants and ledger keys are derived from it.',
    fix: 'Set `arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>`; a VPC connection goes into `vpcConnectionArn`',
    objection: ({ cluster }) =>
      isClusterArn(cluster.clusterArn) ? undefined : `\`${cluster.clusterArn}\` is not the ARN of an MSK cluster`,
  },
  LOCKSTEP_SERVERLESS_WITHOUT_IAM: {
    property: 'cluster.auth',
    because: 'MSK Serverless with anything but IAM: it knows no other authentication.',
    fix: "Set `auth: 'iam'`",
    objection: ({ cluster }) =>
      cluster.kind === 'serverless' && cluster.auth !== 'iam' ? 'MSK Serverless accepts IAM only' : undefined,
  },
  LOCKSTEP_SERVERLESS_OF_ANOTHER_ACCOUNT: {
    property: 'cluster.vpcConnectionArn',
    because: 'MSK Serverless of another account: it has no VPC connections.',
    fix: 'Deploy into the account of the cluster, or use a provisioned cluster',
    objection: ({ cluster }) =>
      cluster.kind === 'serverless' && cluster.vpcConnectionArn !== undefined
        ? 'a mapping cannot read MSK Serverless of another account'
        : undefined,
  },
  LOCKSTEP_SCRAM_SECRET_NAME: {
    property: 'cluster.auth.secret',
    because: 'A SCRAM secret whose name does not start with `AmazonMSK_`: MSK refuses to associate it.',
    fix: 'Recreate the secret as `AmazonMSK_…`, under a customer-managed key',
    objection: ({ cluster: { auth } }) =>
      typeof auth === 'object' && !known(auth.secret.secretName, /^AmazonMSK_/)
        ? `MSK associates only secrets named \`AmazonMSK_…\`, got \`${auth.secret.secretName}\``
        : undefined,
  },
  LOCKSTEP_ENTRY_MISSING: {
    property: 'entry',
    because: 'An entry that is no file.',
    fix: 'Give the path of the module that exports the handler, relative to the working directory',
    objection: (s) => (existsSync(s.entry) ? undefined : `\`${s.entry}\` does not exist in ${process.cwd()}`),
  },
} as const satisfies Record<string, Refusal>;

/** A code of {@link REFUSALS}. */
export type RefusalCode = keyof typeof REFUSALS;

/** What is refused of these settings: code and full text, in the table's order. */
export function refusalsOf(settings: ConsumerSettings): { readonly code: string; readonly text: string }[] {
  return Object.entries<Refusal>(REFUSALS).flatMap(([code, { property, objection, fix }]) => {
    const what = objection(settings);
    return what === undefined ? [] : [{ code, text: `\`${property}\`: ${what}. ${fix}.` }];
  });
}

/** Whether a name matches; tokens are known only at deployment and are believed. */
function known(name: string, pattern: RegExp): boolean {
  return Token.isUnresolved(name) || pattern.test(name);
}

function within(value: number, least: number, most: number): boolean {
  return Token.isUnresolved(value) || (Number.isInteger(value) && value >= least && value <= most);
}
