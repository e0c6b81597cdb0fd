import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Alias, FunctionProps, ISchemaRegistry, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { AlarmOptions } from './alarm-options.ts';
import type { BundlingOptions } from './handler-code.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { TopicFacts } from './kafka-topic.ts';
import type { Ledger } from './ledger-table.ts';

/** The properties of a LockstepConsumer. Durations are CDK's; sizes have their unit in the name. */
export interface LockstepConsumerProps {
  readonly cluster: KafkaCluster;
  /** Source topic: its name, or its name with partitions and record limit (a `KafkaTopic` has them). */
  readonly topic: string | TopicFacts;
  /** Path of the handler's TypeScript module, relative to the working directory. Either this or `function`. */
  readonly entry?: string;
  /**
   * A function of the app that exports the handler, or an alias of it, instead of a new one. It gets the mapping, the environment
   * and the permissions, and keeps its own bundle, timeout, memory and log group. It can serve one consumer.
   *
   * @default a new function is made from `entry`
   */
  readonly function?: LambdaFunction | Alias;
  /**
   * The role of the new function. It gets the permissions in a policy of their own. It must trust `lambda.amazonaws.com`.
   *
   * @default a role is made
   */
  readonly role?: IRole;
  /** The name under which the module exports the result of `lockstepConsumer(...)`. @default 'handler' */
  readonly handlerExport?: string;
  /** Name in metrics, alarms and outputs. @default the construct's id */
  readonly consumerName?: string;
  /** Cannot be changed later: another group starts without progress. @default the construct's path, its parts joined by `-` */
  readonly consumerGroup?: string;
  /** An existing topic. @default one is made: `<consumerGroup>-dead-letters`, with the source's partitions, kept on deletion */
  readonly deadLetterTopic?: TopicFacts;
  /** @default one ledger table for all consumers of the stack, retained and protected unless `removalPolicy` is DESTROY */
  readonly ledger?: Ledger;
  /**
   * The `keyNamespace` of the handler's options, if it sets one. A handler with another namespace refuses to start. @default
   * the consumer group
   */
  readonly keyNamespaces?: readonly string[];
  /**
   * The handler's `retry` options. Synth refuses contradictions; a function whose handler has other values refuses to start.
   */
  readonly retry?: RetryIntent;
  /** Further topics that the handler writes to with `context.produce`. */
  readonly producesTo?: readonly string[];

  /** `on-demand` mappings have no partial answers, no retry limits, no schema registries and no failure destinations. @default 'provisioned' */
  readonly mode?: 'provisioned' | 'on-demand';
  /** How the function reports an unsettled batch. @default 'report' (partial answer), 'throw' in on-demand mode */
  readonly failureMode?: 'report' | 'throw';
  /** Records, 1 to 10,000. @default {@link DEFAULT_BATCH_SIZE} */
  readonly batchSize?: number;
  /** Whole seconds, 0 to 300. @default Lambda's own 500 ms, which cannot be restored once changed */
  readonly batchingWindow?: Duration;
  readonly pollers?: PollerOptions;
  /**
   * What Lambda's pollers write to the function's log group. WARN: errors of the mapping. INFO: also which partitions each poller
   * has. DEBUG: also its offsets, each minute. Provisioned mode only. https://docs.aws.amazon.com/lambda/latest/dg/esm-logging.html
   *
   * @default nothing
   */
  readonly mappingLogLevel?: 'DEBUG' | 'INFO' | 'WARN';
  /** Where a group without committed offsets starts; a Date for a point in time. @default 'TRIM_HORIZON', the oldest record */
  readonly startFrom?: 'TRIM_HORIZON' | 'LATEST' | Date;
  /** Event filter patterns on the value. Lambda commits records that do not match; they never reach the function. */
  readonly filters?: readonly Readonly<Record<string, unknown>>[];
  /** `GlueSchemaRegistry` or `ConfluentSchemaRegistry` of aws-lambda-event-sources; needs `onFailureDestination`. */
  readonly schemaRegistry?: ISchemaRegistry;
  /**
   * Receives what the function never gets: values that the schema registry cannot decode, records over the payload limit.
   * @default none
   */
  readonly onFailureDestination?: FailureDestinationOptions;

  /** At most 14 minutes. @default 60 s */
  readonly timeout?: Duration;
  /** @default {@link DEFAULT_MEMORY_MIB} */
  readonly memoryMiB?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** @default one month */
  readonly logRetention?: RetentionDays;
  /**
   * Encrypts queues, logs, environment, filters and the stack's own ledger. docs/deploying.md says what an imported key's
   * policy must allow; the policy of a key that is made in the app is extended.
   *
   * @default keys owned by AWS
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
   * Whether synth loads the bundle once, in a process without credentials, to see that it exports a handler of Lockstep whose
   * options fit the construct's.
   *
   * @default true
   */
  readonly checkHandler?: boolean;
  /**
   * The relay, which moves messages of the fallback queue and the failure queue to the dead-letter topic, and the operator
   * function, which the `lockstep` command calls. Without them dead letters that the topic refused stay in their queue, for 14
   * days.
   *
   * @default true
   */
  readonly operations?: boolean;
  readonly alarms?: AlarmOptions;
  /** Whether the consumer is on the dashboard that the consumers of its stack share. @default true */
  readonly dashboard?: boolean;
}

/** The handler's `retry` options. */
export interface RetryIntent {
  /** @default 5. With Infinity a failing record blocks its partition for ever. */
  readonly maxAttempts?: number;
  /** @default 3; Infinity if `maxAttempts` is */
  readonly maxInterruptions?: number;
  /** @default 'deadLetter' */
  readonly onExhausted?: 'deadLetter' | 'park';
  /** Parked keys are tried again by themselves; with `onExhausted: 'park'`. The handler is not told. @default only `lockstep release` tries them */
  readonly release?: ReleaseIntent;
}

/** How the relay tries parked keys again. */
export interface ReleaseIntent {
  /** Before the first try of a record in its parked key, doubled with each further one, up to a day. At least a minute. */
  readonly every: Duration;
  /** Tries of one record, 1 to 100; then it waits for `lockstep release`. @default 10 */
  readonly maxRounds?: number;
}

/** Pollers of a provisioned mapping; each takes 5 MB/s and up to 5 invocations at once. */
export interface PollerOptions {
  /** 1 to 200. @default 1 */
  readonly minimum?: number;
  /**
   * 1 to 2,000, not above the topic's partitions. If it equals `minimum`, there are no rebalances by scaling. @default {@link
   * DEFAULT_MAXIMUM_POLLERS} or the partitions, whichever is less
   */
  readonly maximum?: number;
  /** Mappings of one group share their event poller units and their cost. @default the stack's name */
  readonly group?: string;
}

/** The on-failure destination: an SQS queue that the construct makes. */
export interface FailureDestinationOptions {
  /** Lambda's own retries before a batch goes to the failure queue, 1 to 10,000. Well above the handler's attempts. */
  readonly retryAttempts: number;
}
