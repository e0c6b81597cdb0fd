import { Duration, Fn, Token } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  Alias,
  CfnEventSourceMapping,
  EventSourceMapping,
  type EventSourceMappingOptions,
  FilterCriteria,
  type IFunction,
  type ISchemaRegistry,
  MetricType,
  type SourceAccessConfiguration,
  SourceAccessConfigurationType,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { ConsumerSettings } from './consumer-settings.ts';
import {
  eventSourceArn,
  type KafkaCluster,
  type ScramAuthentication,
  type SelfManagedAuthentication,
  securityGroupsOf,
} from './kafka-cluster.ts';

/** What the mapping needs besides the settings. */
export interface EventSourceParts {
  readonly target: IFunction;
  readonly filters?: readonly Readonly<Record<string, unknown>>[];
  readonly schemaRegistry?: ISchemaRegistry;
  readonly failureQueue?: IQueue;
  /** For the filters, which may name values. */
  readonly encryptionKey?: IKey;
}

/**
 * The event source mapping. Made with the L2 `EventSourceMapping`: `ManagedKafkaEventSource` always attaches a policy on `*`.
 * https://docs.aws.amazon.com/lambda/latest/dg/msk-esm-parameters.html
 */
export function eventSource(
  scope: Construct,
  id: string,
  settings: ConsumerSettings,
  parts: EventSourceParts,
): EventSourceMapping {
  const { cluster, source, consumerGroup, batchSize, batchingWindowMs, mode, mappingLogLevel } = settings;
  const mapping = new EventSourceMapping(scope, id, {
    target: parts.target,
    ...(cluster.clusterId === undefined
      ? { eventSourceArn: eventSourceArn(cluster) }
      : { kafkaBootstrapServers: listOf(cluster.bootstrapServers) }),
    kafkaTopic: source.topicName,
    kafkaConsumerGroupId: consumerGroup,
    ...startingPosition(settings.startFrom),
    batchSize,
    ...(batchingWindowMs !== undefined && { maxBatchingWindow: Duration.millis(batchingWindowMs) }),
    ...(parts.filters && {
      filters: parts.filters.map((pattern) => FilterCriteria.filter({ ...pattern })),
      ...(parts.encryptionKey && { filterEncryption: parts.encryptionKey }),
    }),
    ...(typeof cluster.auth === 'object' && { sourceAccessConfigurations: access(cluster, cluster.auth) }),
    ...(mode === 'provisioned' && provisioned(settings, parts)),
  });
  const resource = mapping.node.defaultChild;
  if (!(resource instanceof CfnEventSourceMapping)) return mapping;
  // -1 (without limit) is not a Duration.
  if (mode === 'provisioned') resource.maximumRecordAgeInSeconds = -1;
  if (mappingLogLevel !== undefined) resource.loggingConfig = { systemLogLevel: mappingLogLevel };
  // CDK takes the name of an alias apart, and puts it together again.
  if (parts.target instanceof Alias) resource.functionName = parts.target.functionArn;
  return mapping;
}

function listOf(bootstrapServers: string): string[] {
  if (Token.isUnresolved(bootstrapServers)) return Fn.split(',', bootstrapServers);
  return bootstrapServers.split(',').map((server) => server.trim());
}

/** The credentials; of a self-managed cluster also where it is. https://docs.aws.amazon.com/lambda/latest/api/API_SourceAccessConfiguration.html */
function access(
  cluster: KafkaCluster,
  { type, secret }: ScramAuthentication | SelfManagedAuthentication,
): SourceAccessConfiguration[] {
  const credentials = { type: ACCESS_CONFIGURATION[type], uri: secret.secretArn };
  if (cluster.clusterId === undefined) return [credentials];
  const { subnetIds = [], rootCertificate } = cluster;
  return [
    credentials,
    ...(rootCertificate
      ? [{ type: SourceAccessConfigurationType.of('SERVER_ROOT_CA_CERTIFICATE'), uri: rootCertificate.secretArn }]
      : []),
    ...subnetIds.map((id) => ({ type: SourceAccessConfigurationType.VPC_SUBNET, uri: `subnet:${id}` })),
    ...securityGroupsOf(cluster).map((id) => ({
      type: SourceAccessConfigurationType.VPC_SECURITY_GROUP,
      uri: `security_group:${id}`,
    })),
  ];
}

const ACCESS_CONFIGURATION = {
  scram: SourceAccessConfigurationType.SASL_SCRAM_512_AUTH,
  'scram-256': SourceAccessConfigurationType.SASL_SCRAM_256_AUTH,
  plain: SourceAccessConfigurationType.BASIC_AUTH,
  mtls: SourceAccessConfigurationType.CLIENT_CERTIFICATE_TLS_AUTH,
} as const;

/** Settings that only provisioned mode has. https://docs.aws.amazon.com/lambda/latest/dg/kafka-scaling-modes.html */
function provisioned(
  { pollers, failureRetryAttempts }: ConsumerSettings,
  { failureQueue, schemaRegistry }: EventSourceParts,
): EventSourceMappingOptions {
  return {
    provisionedPollerConfig: {
      minimumPollers: pollers.minimum,
      maximumPollers: pollers.maximum,
      pollerGroupName: pollers.group,
    },
    reportBatchItemFailures: true,
    // Infinite without a failure destination. With one, -1 silently means 10. https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
    retryAttempts: failureRetryAttempts ?? -1,
    bisectBatchOnError: false,
    metricsConfig: { metrics: [MetricType.EVENT_COUNT, MetricType.ERROR_COUNT, MetricType.KAFKA_METRICS] },
    ...(failureQueue && { onFailure: { bind: () => ({ destination: failureQueue.queueArn }) } }),
    ...(schemaRegistry && { schemaRegistryConfig: schemaRegistry }),
  };
}

function startingPosition(startFrom: ConsumerSettings['startFrom']): EventSourceMappingOptions {
  if (startFrom instanceof Date) {
    return {
      startingPosition: StartingPosition.AT_TIMESTAMP,
      startingPositionTimestamp: Math.floor(startFrom.getTime() / 1000),
    };
  }
  return { startingPosition: startFrom === 'LATEST' ? StartingPosition.LATEST : StartingPosition.TRIM_HORIZON };
}
