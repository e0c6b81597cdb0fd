import { RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { DEFAULTS } from '../../shared/options.ts';
import type { LockstepConsumerProps } from './consumer-props.ts';
import { LETTER_HEADROOM_BYTES } from './dead-letter-topic.ts';
import { type ExistingFunction, existingFunction, settingsOf, timeoutOf } from './existing-function.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { DEFAULT_MAX_RECORD_BYTES, type TopicFacts } from './kafka-topic.ts';
import { clusterHere } from './local-cluster.ts';

/** Lambda's own default for Kafka. */
export const DEFAULT_BATCH_SIZE = 100;
export const DEFAULT_TIMEOUT_SECONDS = 60;
export const DEFAULT_MEMORY_MIB = 512;
/** The pollers of one event poller unit. */
export const DEFAULT_MAXIMUM_POLLERS = 10;
/** Tries of a parked record by itself. */
export const DEFAULT_RELEASE_ROUNDS = 10;
/** Used where the number of the source's partitions is not known. */
export const DEFAULT_LETTER_PARTITIONS = 6;

/** The properties with all defaults: the refusals check them, and the construct builds with them. */
export interface ConsumerSettings {
  readonly cluster: KafkaCluster;
  readonly source: TopicFacts & { readonly maxRecordBytes: number };
  readonly deadLetterTopic: Required<TopicFacts>;
  readonly deadLetterTopicIsOurs: boolean;
  /** Absent with a function that exists already. */
  readonly entry: string | undefined;
  readonly handlerExport: string;
  readonly existing: ExistingFunction | undefined;
  /** `ledger` as it was given. */
  readonly ledgerTable: object | undefined;
  readonly consumerName: string;
  readonly stackName: string;
  /** Of the stack; tokens where the app does not say. */
  readonly region: string;
  readonly account: string;
  /** Only the local cloud has brokers without TLS. */
  readonly onLocalCloud: boolean;
  readonly consumerGroup: string;
  readonly keyNamespaces: readonly string[];
  readonly maxAttempts: number;
  readonly maxInterruptions: number;
  readonly onExhausted: 'deadLetter' | 'park';
  readonly release: { readonly everyMs: number; readonly maxRounds: number } | undefined;
  readonly producesTo: readonly string[];
  readonly mode: 'provisioned' | 'on-demand';
  readonly failureMode: 'report' | 'throw';
  readonly batchSize: number;
  readonly batchingWindowMs: number | undefined;
  readonly mappingLogLevel: LockstepConsumerProps['mappingLogLevel'];
  readonly pollers: { readonly minimum: number; readonly maximum: number; readonly group: string };
  readonly startFrom: 'TRIM_HORIZON' | 'LATEST' | Date;
  readonly decodesValues: boolean;
  readonly failureRetryAttempts: number | undefined;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly reservedConcurrency: number | undefined;
  /** Names of the other properties of the function. */
  readonly functionProps: readonly string[];
  readonly removalPolicy: RemovalPolicy;
  /** Whether there are a relay and an operator function. */
  readonly operations: boolean;
}

/** Fills in the defaults. */
export function consumerSettings(scope: Construct, props: LockstepConsumerProps): ConsumerSettings {
  const cluster = clusterHere(scope, props.cluster);
  const source = factsOf(props.topic);
  const consumerGroup = props.consumerGroup ?? plainPath(scope);
  const mode = props.mode ?? 'provisioned';
  const ours = {
    topicName: letterTopicName(consumerGroup),
    partitions: source.partitions ?? DEFAULT_LETTER_PARTITIONS,
    maxRecordBytes: source.maxRecordBytes + LETTER_HEADROOM_BYTES,
  };
  const existing = existingFunction(props);
  const maxAttempts = props.retry?.maxAttempts ?? DEFAULTS.maxAttempts;
  return {
    cluster,
    source,
    deadLetterTopic: props.deadLetterTopic ? lettersOf(props.deadLetterTopic, ours) : ours,
    deadLetterTopicIsOurs: props.deadLetterTopic === undefined,
    entry: props.entry,
    handlerExport: props.handlerExport ?? 'handler',
    existing,
    ledgerTable: props.ledger?.table,
    consumerName: props.consumerName ?? scope.node.id,
    stackName: Stack.of(scope).stackName,
    region: Stack.of(scope).region,
    account: Stack.of(scope).account,
    // The cluster may be missing: that is refused.
    onLocalCloud: cluster?.auth === 'none',
    consumerGroup,
    keyNamespaces: props.keyNamespaces ?? [consumerGroup],
    maxAttempts,
    maxInterruptions:
      props.retry?.maxInterruptions ??
      (maxAttempts === Number.POSITIVE_INFINITY ? maxAttempts : DEFAULTS.maxInterruptions),
    onExhausted: props.retry?.onExhausted ?? 'deadLetter',
    release: props.retry?.release && {
      everyMs: props.retry.release.every.toMilliseconds(),
      maxRounds: props.retry.release.maxRounds ?? DEFAULT_RELEASE_ROUNDS,
    },
    producesTo: props.producesTo ?? [],
    mode,
    failureMode: props.failureMode ?? (mode === 'on-demand' ? 'throw' : 'report'),
    batchSize: props.batchSize ?? DEFAULT_BATCH_SIZE,
    batchingWindowMs: props.batchingWindow?.toMilliseconds(),
    mappingLogLevel: props.mappingLogLevel,
    pollers: {
      minimum: props.pollers?.minimum ?? 1,
      maximum:
        props.pollers?.maximum ??
        Math.max(
          props.pollers?.minimum ?? 1,
          Math.min(DEFAULT_MAXIMUM_POLLERS, source.partitions ?? DEFAULT_MAXIMUM_POLLERS),
        ),
      group: props.pollers?.group ?? Stack.of(scope).stackName,
    },
    startFrom: props.startFrom ?? 'TRIM_HORIZON',
    decodesValues: props.schemaRegistry !== undefined,
    failureRetryAttempts: props.onFailureDestination?.retryAttempts,
    timeoutSeconds: existing?.function
      ? timeoutOf(existing.function)
      : (props.timeout?.toSeconds() ?? DEFAULT_TIMEOUT_SECONDS),
    memoryMiB: props.memoryMiB ?? DEFAULT_MEMORY_MIB,
    environment: props.environment ?? {},
    reservedConcurrency: props.functionProps?.reservedConcurrentExecutions,
    functionProps: Object.keys(props.functionProps ?? {}),
    ...(existing?.function && settingsOf(existing.function)),
    removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN,
    operations: props.operations ?? true,
  };
}

function factsOf(topic: string | TopicFacts): TopicFacts & { readonly maxRecordBytes: number } {
  const facts = typeof topic === 'string' ? { topicName: topic } : topic;
  return {
    topicName: facts.topicName,
    maxRecordBytes: facts.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES,
    ...(facts.partitions !== undefined && { partitions: facts.partitions }),
  };
}

/** A topic may be given as a construct: only its facts are kept. */
function lettersOf(
  { topicName, partitions, maxRecordBytes }: TopicFacts,
  ours: Required<TopicFacts>,
): Required<TopicFacts> {
  return {
    topicName,
    partitions: partitions ?? ours.partitions,
    maxRecordBytes: maxRecordBytes ?? ours.maxRecordBytes,
  };
}

/** Contains the group, which no other consumer of the cluster has. Kafka takes fewer characters in the name of a topic. */
function letterTopicName(group: string): string {
  return `${Token.isUnresolved(group) ? group : group.replaceAll(/[^A-Za-z0-9._-]/g, '-')}-dead-letters`;
}

/** Letters, digits and dashes: MSK publishes no lag metrics for groups with `:` or non-ASCII characters. */
function plainPath(scope: Construct): string {
  const { path } = scope.node;
  return Token.isUnresolved(path) ? scope.node.id : path.replaceAll(/[^A-Za-z0-9]+/g, '-');
}
