import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { FunctionProps, ISchemaRegistry } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { AlarmOptions } from './alarm-options.ts';
import type { BundlingOptions } from './handler-code.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { TopicFacts } from './kafka-topic.ts';
import type { Ledger } from './ledger-table.ts';

/** What a LockstepConsumer is to do; everything else is derived. Durations are CDK's, sizes carry their unit. */
export interface LockstepConsumerProps {
  readonly cluster: KafkaCluster;
  /** Source topic: its name, or its name with partitions and record limit (a `KafkaTopic` is one). */
  readonly topic: string | TopicFacts;
  /** Path of the handler's TypeScript module, relative to the working directory. */
  readonly entry: string;
  /** The export that `lockstepConsumer(...)` was assigned to. @default 'handler' */
  readonly handlerExport?: string;
  /** Name in metrics, alarms and outputs. @default the construct's id */
  readonly consumerName?: string;
  /** Cannot be changed later: another group starts over. @default the construct's path, parts joined by `-` */
  readonly consumerGroup?: string;
  /** A topic that exists already. @default one is made: `<topic>-dead-letters`, partitions as the source, kept on deletion */
  readonly deadLetterTopic?: TopicFacts;
  /** @default one ledger table for all consumers of the stack, retained and protected unless `removalPolicy` is DESTROY */
  readonly ledger?: Ledger;
  /** What `keyNamespace` says in the handler's options, where it says anything: a handler that says otherwise refuses to start. @default the consumer group */
  readonly keyNamespaces?: readonly string[];
  /** What the handler's `retry` says. Synth refuses what contradicts it; a function whose handler says otherwise refuses to start. */
  readonly retry?: RetryIntent;
  /** Further topics that the handler writes to with `context.produce`. */
  readonly producesTo?: readonly string[];

  /** `on-demand` mappings know no partial answers, retry limits, schema registries or nets. @default 'provisioned' */
  readonly mode?: 'provisioned' | 'on-demand';
  /** How the function says that a batch is not settled. @default 'report' (partial answer), 'throw' in on-demand mode */
  readonly failureMode?: 'report' | 'throw';
  /** Records, 1 to 10,000. @default {@link DEFAULT_BATCH_SIZE} */
  readonly batchSize?: number;
  /** Whole seconds, 0 to 300. @default Lambda's own 500 ms, which cannot be had back once changed */
  readonly batchingWindow?: Duration;
  readonly pollers?: PollerOptions;
  /** Where a group without committed offsets starts; a Date for a point in time. @default 'TRIM_HORIZON', the oldest record */
  readonly startFrom?: 'TRIM_HORIZON' | 'LATEST' | Date;
  /** Event filter patterns on the value. What does not match is committed and never reaches the function. */
  readonly filters?: readonly Readonly<Record<string, unknown>>[];
  /** `GlueSchemaRegistry` or `ConfluentSchemaRegistry` of aws-lambda-event-sources; needs `onFailureDestination`. */
  readonly schemaRegistry?: ISchemaRegistry;
  /** Catches what the function never sees: values that fail in the schema registry, records over the payload limit. @default none */
  readonly onFailureDestination?: FailureDestinationOptions;

  /** At most 14 minutes. @default 60 s */
  readonly timeout?: Duration;
  /** @default {@link DEFAULT_MEMORY_MIB} */
  readonly memoryMiB?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** @default one month */
  readonly logRetention?: RetentionDays;
  /**
   * Encrypts queues, logs, environment, filters and the stack's own ledger. What an imported key's policy must allow:
   * docs/deploying.md; that of a key made in the app is extended. @default keys owned by AWS
   */
  readonly encryptionKey?: IKey;
  /** X-Ray. @default false */
  readonly tracing?: boolean;
  /** Of table, queues and logs. The dead-letter topic is always kept. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
  /** Any other property of a Lambda function. */
  readonly functionProps?: Omit<
    FunctionProps,
    | 'code'
    | 'handler'
    | 'runtime'
    | 'role'
    | 'environment'
    | 'memorySize'
    | 'timeout'
    | 'logGroup'
    | 'vpc'
    | 'vpcSubnets'
    | 'securityGroups'
  >;
  readonly bundling?: BundlingOptions;
  /**
   * The relay, which empties fallback queue and net into the dead-letter topic, and the operator function behind `lockstep`.
   * Without them letters that the topic refused stay in their queue, for 14 days.
   *
   * @default true
   */
  readonly operations?: boolean;
  readonly alarms?: AlarmOptions;
}

/** What the handler's `retry` says. */
export interface RetryIntent {
  /** @default 5; with Infinity a failing record blocks its partition for ever */
  readonly maxAttempts?: number;
  /** @default 3, Infinity where `maxAttempts` is */
  readonly maxInterruptions?: number;
}

/** Pollers of a provisioned mapping; each takes 5 MB/s and up to 5 invocations at once. */
export interface PollerOptions {
  /** 1 to 200. @default 1 */
  readonly minimum?: number;
  /** 1 to 2,000, not above the topic's partitions. Equal to `minimum` it spares rebalances. @default {@link DEFAULT_MAXIMUM_POLLERS} or the partitions, whichever is less */
  readonly maximum?: number;
  /** Mappings of one group share (and pay together) their event poller units. @default the stack's name */
  readonly group?: string;
}

/** The on-failure destination, an SQS queue of our own. */
export interface FailureDestinationOptions {
  /** Lambda's own retries before a batch goes to the net; well above the handler's. 1 to 10,000. */
  readonly retryAttempts: number;
}
