import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { STACK_SECRET_KEY } from '../../shared/record/item-identifier.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { credentialGrants } from './credential-grants.ts';
import { type KafkaCluster, kafkaArn, ledgerClusterId, usesIam } from './kafka-cluster.ts';
import { onlyItems } from './ledger-items.ts';

/** The facts from which a consumer's permissions are made. */
export interface GrantFacts {
  readonly settings: ConsumerSettings;
  readonly ledgerTableArn: string;
  readonly fallbackQueueArn: string;
  readonly failureQueueArn?: string;
  /** With `:*` for its streams, as CloudFormation gives it. Absent for a function that logs with its own permissions. */
  readonly logGroupArn?: string;
  /** Customer-managed keys of ledger and queues. */
  readonly encryptionKeyArns: readonly string[];
}

/**
 * Everything that the function and its mapping may do (they share the role), except attaching to their VPCs. The construct
 * grants nothing else. https://docs.aws.amazon.com/lambda/latest/dg/with-msk-permissions.html
 */
export function consumerGrants(facts: GrantFacts): PolicyStatement[] {
  return [...ownGrants(facts), ...mappingGrants(facts.settings.cluster), ...kafkaGrants(facts.settings)];
}

function ownGrants(facts: GrantFacts): PolicyStatement[] {
  return [
    ...(facts.logGroupArn === undefined
      ? []
      : [
          new PolicyStatement({
            sid: 'WriteOwnLogs',
            actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
            resources: [facts.logGroupArn],
          }),
        ]),
    new PolicyStatement({
      sid: 'KeepOwnProgress',
      actions: [
        'dynamodb:BatchGetItem',
        ...(facts.settings.onExhausted === 'park' ? ['dynamodb:DeleteItem'] : []),
        'dynamodb:GetItem',
        'dynamodb:PartiQLDelete',
        'dynamodb:PartiQLInsert',
        'dynamodb:PartiQLUpdate',
        'dynamodb:UpdateItem',
      ],
      resources: [facts.ledgerTableArn],
      conditions: onlyItems(leadingKeys(facts.settings)),
    }),
    ...sharedKeyGrants(facts),
    new PolicyStatement({
      sid: 'KeepWhatTheTopicRefuses',
      actions: ['sqs:SendMessage'],
      resources: [facts.fallbackQueueArn],
    }),
    ...(facts.failureQueueArn === undefined
      ? []
      : [
          new PolicyStatement({
            sid: 'SendToFailureQueue',
            actions: ['sqs:SendMessage'],
            resources: [facts.failureQueueArn],
          }),
        ]),
    ...(facts.encryptionKeyArns.length === 0
      ? []
      : [
          new PolicyStatement({
            sid: 'UseTheKeys',
            actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
            resources: [...facts.encryptionKeyArns],
          }),
        ]),
  ];
}

/**
 * In a namespace that groups share, a partition of another group may hold a key. Whether that partition is alive must be read.
 */
function sharedKeyGrants({ settings, ledgerTableArn }: GrantFacts): PolicyStatement[] {
  if (settings.keyNamespaces.every((namespace) => namespace === settings.consumerGroup)) return [];
  return [
    new PolicyStatement({
      sid: 'SeeWhoHoldsSharedKeys',
      actions: ['dynamodb:GetItem'],
      resources: [ledgerTableArn],
      conditions: onlyItems(['partition#*']),
    }),
  ];
}

/** The role's own items: its partitions (of this cluster, in this group), its idempotency keys, and the stack's secret. */
function leadingKeys({ cluster, consumerGroup, keyNamespaces, onExhausted }: ConsumerSettings): string[] {
  return [
    `partition#${ledgerClusterId(cluster)}#${consumerGroup}#*`,
    ...(onExhausted === 'park' ? [`parked#${ledgerClusterId(cluster)}#${consumerGroup}#*`] : []),
    STACK_SECRET_KEY,
    ...keyNamespaces.map((namespace) => `key#${namespace}#*`),
  ];
}

function mappingGrants(cluster: KafkaCluster): PolicyStatement[] {
  if (cluster.clusterId !== undefined) return credentialGrants(cluster);
  const { clusterArn, vpcConnectionArn, auth } = cluster;
  return [
    new PolicyStatement({
      sid: 'FindTheBrokers',
      actions: [
        'kafka:DescribeCluster',
        'kafka:DescribeClusterV2',
        'kafka:GetBootstrapBrokers',
        ...(typeof auth === 'object' && auth.type === 'scram' ? ['kafka:ListScramSecrets'] : []),
      ],
      resources: [clusterArn],
    }),
    ...(vpcConnectionArn === undefined
      ? []
      : [
          new PolicyStatement({
            sid: 'FindTheConnection',
            actions: ['kafka:DescribeVpcConnection'],
            resources: [vpcConnectionArn],
          }),
        ]),
    ...credentialGrants(cluster),
  ];
}

/** MSK access control: CDK's own event source grants none of it. Other authentications have no such permissions. */
function kafkaGrants({
  cluster,
  source,
  deadLetterTopic,
  producesTo,
  consumerGroup,
}: ConsumerSettings): PolicyStatement[] {
  if (!usesIam(cluster)) return [];
  return [
    new PolicyStatement({
      sid: 'ConnectToTheCluster',
      actions: ['kafka-cluster:Connect', 'kafka-cluster:DescribeClusterDynamicConfiguration'],
      resources: [cluster.clusterArn],
    }),
    new PolicyStatement({
      sid: 'ReadTheTopic',
      actions: ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'],
      resources: [kafkaArn(cluster, 'topic', source.topicName)],
    }),
    new PolicyStatement({
      sid: 'JoinTheGroup',
      actions: ['kafka-cluster:AlterGroup', 'kafka-cluster:DescribeGroup'],
      resources: [kafkaArn(cluster, 'group', consumerGroup)],
    }),
    new PolicyStatement({
      sid: 'WriteDeadLetters',
      actions: ['kafka-cluster:DescribeTopic', 'kafka-cluster:WriteData'],
      resources: [kafkaArn(cluster, 'topic', deadLetterTopic.topicName)],
    }),
    ...(producesTo.length === 0
      ? []
      : [
          new PolicyStatement({
            sid: 'ProduceOnward',
            actions: ['kafka-cluster:DescribeTopic', 'kafka-cluster:WriteData'],
            resources: producesTo.map((name) => kafkaArn(cluster, 'topic', name)),
          }),
        ]),
  ];
}
