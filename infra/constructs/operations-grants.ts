import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { STACK_SECRET_KEY } from '../../shared/record/item-identifier.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { credentialGrants } from './credential-grants.ts';
import { kafkaArn, ledgerClusterId, usesIam } from './kafka-cluster.ts';
import { onlyItems } from './ledger-items.ts';

/** The facts from which the permissions of a consumer's relay and operator function are made. */
export interface OperationsFacts {
  readonly settings: ConsumerSettings;
  readonly ledgerTableArn: string;
  readonly fallbackQueueArn: string;
  readonly failureQueueArn?: string;
  /** With `:*` for its streams, as CloudFormation gives it. */
  readonly logGroupArn: string;
  readonly encryptionKeyArns: readonly string[];
  /** Of the consumer itself. */
  readonly consumerFunctionArn: string;
  /** Redrives of a consumer exclude each other by this id. */
  readonly transactionalId: string;
}

/**
 * Everything that the relay may do: its own partitions in the ledger, its queues, reading the source topic, writing the
 * dead-letter topic.
 */
export function relayGrants(facts: OperationsFacts): PolicyStatement[] {
  const { settings, ledgerTableArn, fallbackQueueArn, failureQueueArn } = facts;
  const { cluster, consumerGroup, source, deadLetterTopic } = settings;
  const parks = settings.onExhausted === 'park';
  return [
    ...commonGrants(facts),
    statement(
      'ClaimPartitions',
      [...(parks ? ['dynamodb:BatchGetItem', 'dynamodb:DeleteItem'] : []), 'dynamodb:GetItem', 'dynamodb:UpdateItem'],
      [ledgerTableArn],
      onlyItems([
        `partition#${ledgerClusterId(cluster)}#${consumerGroup}#${source.topicName}#*`,
        ...(parks ? [parkedKeysOf(facts)] : []),
        STACK_SECRET_KEY,
      ]),
    ),
    ...(settings.release === undefined ? [] : [releaseGrant(facts), ...readLetters(facts)]),
    statement(
      'EmptyTheQueues',
      ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
      [fallbackQueueArn, ...(failureQueueArn === undefined ? [] : [failureQueueArn])],
    ),
    statement('KeepWhatMustWait', ['sqs:SendMessage'], [fallbackQueueArn]),
    ...keyGrants(facts),
    ...(usesIam(cluster)
      ? [
          statement('ConnectToTheCluster', ['kafka-cluster:Connect'], [cluster.clusterArn]),
          statement(
            'ReadTheTopic',
            ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'],
            [kafkaArn(cluster, 'topic', source.topicName)],
          ),
          statement('SeeWhatIsCommitted', ['kafka-cluster:DescribeGroup'], [kafkaArn(cluster, 'group', consumerGroup)]),
          statement(
            'WriteDeadLetters',
            ['kafka-cluster:DescribeTopic', 'kafka-cluster:WriteData'],
            [kafkaArn(cluster, 'topic', deadLetterTopic.topicName)],
          ),
        ]
      : []),
  ];
}

/**
 * Everything that the operator function may do: both topics, in transactions of one name; of the ledger nothing but the secret, with
 * which it tells our letters from others. It may see all groups of the cluster, to say who else reads what is redriven.
 */
export function operatorGrants(facts: OperationsFacts): PolicyStatement[] {
  const { cluster, source, deadLetterTopic } = facts.settings;
  const grants = [
    ...commonGrants(facts),
    statement('KnowOwnLetters', ['dynamodb:UpdateItem'], [facts.ledgerTableArn], onlyItems([STACK_SECRET_KEY])),
    ...(facts.settings.onExhausted === 'park' ? [lookAtParkedKeys(facts), releaseGrant(facts)] : []),
    ...keyGrants(facts),
  ];
  if (!usesIam(cluster)) return grants;
  return [
    ...grants,
    statement(
      'ConnectToTheCluster',
      ['kafka-cluster:Connect', 'kafka-cluster:WriteDataIdempotently'],
      [cluster.clusterArn],
    ),
    statement(
      'ReadAndRedrive',
      ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData', 'kafka-cluster:WriteData'],
      [kafkaArn(cluster, 'topic', source.topicName), kafkaArn(cluster, 'topic', deadLetterTopic.topicName)],
    ),
    // Only its own group: the names of a topic's other groups are not known at synth, and a wildcard would show all groups.
    statement(
      'SeeItsGroup',
      ['kafka-cluster:DescribeGroup'],
      [kafkaArn(cluster, 'group', facts.settings.consumerGroup)],
    ),
    statement(
      'RedriveInTransactions',
      ['kafka-cluster:AlterTransactionalId', 'kafka-cluster:DescribeTransactionalId'],
      [kafkaArn(cluster, 'transactional-id', facts.transactionalId)],
    ),
  ];
}

/** Parked keys of the consumer's partitions. */
function parkedKeysOf({ settings: { cluster, consumerGroup, source } }: OperationsFacts): string {
  return `parked#${ledgerClusterId(cluster)}#${consumerGroup}#${source.topicName}#*`;
}

function lookAtParkedKeys(facts: OperationsFacts): PolicyStatement {
  const actions = ['dynamodb:BatchGetItem', 'dynamodb:GetItem'];
  return statement('LookAtParkedKeys', actions, [facts.ledgerTableArn], onlyItems([parkedKeysOf(facts)]));
}

/** The consumer's own function, and no other. */
function releaseGrant({ consumerFunctionArn }: OperationsFacts): PolicyStatement {
  return statement('ReleaseParkedKeys', ['lambda:InvokeFunction'], [consumerFunctionArn]);
}

/** A release sends the letters that it finds on the dead-letter topic. */
function readLetters({ settings: { cluster, deadLetterTopic } }: OperationsFacts): PolicyStatement[] {
  if (!usesIam(cluster)) return [];
  const actions = ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'];
  return [statement('ReadDeadLetters', actions, [kafkaArn(cluster, 'topic', deadLetterTopic.topicName)])];
}

/** Everything under the user's own keys is read and written with them. */
function keyGrants({ encryptionKeyArns }: OperationsFacts): PolicyStatement[] {
  if (encryptionKeyArns.length === 0) return [];
  const actions = ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'];
  return [statement('UseTheKeys', actions, encryptionKeyArns)];
}

function commonGrants({ settings: { cluster }, logGroupArn }: OperationsFacts): PolicyStatement[] {
  return [
    statement('WriteOwnLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroupArn]),
    ...(cluster.clusterId === undefined
      ? [statement('FindTheBrokers', ['kafka:GetBootstrapBrokers'], [cluster.clusterArn])]
      : []),
    ...credentialGrants(cluster),
  ];
}

function statement(
  sid: string,
  actions: string[],
  resources: readonly string[],
  conditions?: Record<string, unknown>,
): PolicyStatement {
  return new PolicyStatement({ sid, actions, resources: [...resources], ...(conditions && { conditions }) });
}
