import { Duration, type Stack } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { expect, test } from 'vitest';
import { AlarmTopic } from '../../../infra/constructs/alarm-topic.ts';
import { LedgerTable } from '../../../infra/constructs/ledger-table.ts';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { MskCluster } from '../../../infra/constructs/msk-cluster.ts';
import { grantLines } from '../grant-lines.ts';
import { CLUSTER, LEAST, synth } from '../synth.ts';

const onCall = (stack: Stack) => Role.fromRoleArn(stack, 'OnCall', 'arn:aws:iam::111122223333:role/on-call');
const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666';
const secretOf = (stack: Stack, id: string) =>
  Secret.fromSecretCompleteArn(stack, id, `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${id}-AbCdEf`);

const TRUST = 'Allow Service lambda.amazonaws.com sts:AssumeRole';
const IN_VPC = [
  'AttachToTheVpc: Allow ec2:AssignPrivateIpAddresses, ec2:CreateNetworkInterface, ec2:DeleteNetworkInterface, ec2:DescribeNetworkInterfaces, ec2:DescribeSecurityGroups, ec2:DescribeSubnets, ec2:DescribeVpcs, ec2:UnassignPrivateIpAddresses on *',
  'NotFromTheHandler: Deny ec2:AssignPrivateIpAddresses, ec2:CreateNetworkInterface, ec2:DeleteNetworkInterface, ec2:DescribeNetworkInterfaces, ec2:DescribeSecurityGroups, ec2:DescribeSubnets, ec2:DescribeVpcs, ec2:UnassignPrivateIpAddresses on * if lambda:SourceFunctionArn ArnLike arn:*:lambda:*:*:function:*',
];
const BY_SCHEDULE = {
  OrdersOperationsSweepAllowEventRuleShopOrdersOperationsRelayFunction: [
    'events.amazonaws.com lambda:InvokeFunction on {OrdersOperationsRelayFunction.Arn} for {OrdersOperationsSweep.Arn}',
  ],
};

test('all grants with everything switched on, on MSK with IAM', () => {
  const template = synth((stack) => {
    const encryptionKey = new Key(stack, 'Key');
    const consumer = new LockstepConsumer(stack, 'Orders', {
      ...LEAST,
      operations: true,
      onFailureDestination: { retryAttempts: 100 },
      keyNamespaces: ['Shop-Orders', 'payments'],
      producesTo: ['shipments'],
      retry: { onExhausted: 'park', release: { every: Duration.minutes(5) } },
      filters: [{ value: { customer: ['alice'] } }],
      tracing: true,
      encryptionKey,
      ledger: new LedgerTable(stack, 'Ledger', { encryptionKey: Key.fromKeyArn(stack, 'LedgerKey', KEY_ARN) }),
      alarms: { page: new AlarmTopic(stack, 'Alarms', { encryptionKey }) },
    });
    consumer.grantOperator(onCall(stack));
  });

  expect(grantLines(template)).toEqual({
    'AlarmsPolicy of {Alarms}': [
      'AllowPublishThroughSSLOnly: Deny * sns:Publish on {Alarms} if aws:SecureTransport Bool false',
      '1: Allow Service cloudwatch.amazonaws.com sns:Publish on {Alarms} if aws:SourceAccount StringEquals {AWS::AccountId}',
    ],
    Key: [
      'Allow AWS arn:{AWS::Partition}:iam::{AWS::AccountId}:root kms:* on *',
      'Allow Service cloudwatch.amazonaws.com kms:Decrypt, kms:GenerateDataKey* on * if aws:SourceAccount StringEquals {AWS::AccountId}',
      'Allow Service logs.{AWS::Region}.amazonaws.com kms:Decrypt*, kms:Describe*, kms:Encrypt*, kms:GenerateDataKey*, kms:ReEncrypt* on * if kms:EncryptionContext:aws:logs:arn ArnLike arn:{AWS::Partition}:logs:{AWS::Region}:{AWS::AccountId}:log-group:*',
      // CDK lets Lambda decrypt the filters of any mapping that names the key: AWS documents no condition for that.
      'Allow Service lambda.amazonaws.com kms:Decrypt on *',
    ],
    'OnCallPolicy of on-call': [
      'FindTheConsumer: Allow cloudformation:DescribeStacks on {AWS::StackId}',
      'SeeTheMapping: Allow lambda:GetEventSourceMapping on arn:{AWS::Partition}:lambda:{AWS::Region}:{AWS::AccountId}:event-source-mapping:{OrdersEventSourceorders}',
      'SeeTheQueues: Allow sqs:GetQueueAttributes on {OrdersFallbackQueue.Arn}, {OrdersFailureQueue.Arn}',
      'SeeTheAlarms: Allow cloudwatch:DescribeAlarms on arn:{AWS::Partition}:cloudwatch:{AWS::Region}:{AWS::AccountId}:alarm:*',
      'SeeTheLedger: Allow dynamodb:GetItem on {LedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#uuid-1#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'SeeParkedKeys: Allow dynamodb:BatchGetItem, dynamodb:GetItem on {LedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike parked#uuid-1#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'AskTheOperator: Allow lambda:InvokeFunction on {OrdersOperationsOperatorFunction.Arn}:look',
      'DecryptTheLedger: Allow kms:Decrypt on arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666',
      'PauseAndResume: Allow lambda:UpdateEventSourceMapping on arn:{AWS::Partition}:lambda:{AWS::Region}:{AWS::AccountId}:event-source-mapping:{OrdersEventSourceorders}',
      'ChangeTheLedger: Allow dynamodb:PutItem, dynamodb:UpdateItem on {LedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#uuid-1#Shop-Orders#*, decisions#uuid-1#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'DropParkedKeys: Allow dynamodb:DeleteItem, dynamodb:UpdateItem on {LedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike parked#uuid-1#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'EncryptTheLedger: Allow kms:DescribeKey, kms:Encrypt, kms:GenerateDataKey on arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666',
      'LetTheOperatorAct: Allow lambda:InvokeFunction on {OrdersOperationsOperatorFunction.Arn}',
    ],
    'OrdersFailureQueuePolicy of {OrdersFailureQueue}': [
      'Deny AWS * sqs:* on {OrdersFailureQueue.Arn} if aws:SecureTransport Bool false',
      'OnlyLockstepSends: Deny AWS * sqs:SendMessage on {OrdersFailureQueue.Arn} if aws:PrincipalArn ArnNotEquals {OrdersHandlerRole.Arn}',
      'OnlyTheRelayTakes: Deny AWS * sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:PurgeQueue, sqs:ReceiveMessage on {OrdersFailureQueue.Arn} if aws:PrincipalArn ArnNotEquals {OrdersOperationsRelayRole.Arn}',
    ],
    'OrdersFallbackQueuePolicy of {OrdersFallbackQueue}': [
      'Deny AWS * sqs:* on {OrdersFallbackQueue.Arn} if aws:SecureTransport Bool false',
      'OnlyLockstepSends: Deny AWS * sqs:SendMessage on {OrdersFallbackQueue.Arn} if aws:PrincipalArn ArnNotEquals {OrdersHandlerRole.Arn}, {OrdersOperationsRelayRole.Arn}',
      'OnlyTheRelayTakes: Deny AWS * sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:PurgeQueue, sqs:ReceiveMessage on {OrdersFallbackQueue.Arn} if aws:PrincipalArn ArnNotEquals {OrdersOperationsRelayRole.Arn}',
    ],
    OrdersHandlerRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersHandlerLogs.Arn}',
      'KeepOwnProgress: Allow dynamodb:BatchGetItem, dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:PartiQLDelete, dynamodb:PartiQLInsert, dynamodb:PartiQLUpdate, dynamodb:UpdateItem on {LedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#uuid-1#Shop-Orders#*, parked#uuid-1#Shop-Orders#*, secret#signing, key#Shop-Orders#*, key#payments#* and dynamodb:LeadingKeys Null false',
      'SeeWhoHoldsSharedKeys: Allow dynamodb:GetItem on {LedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#* and dynamodb:LeadingKeys Null false',
      'KeepWhatTheTopicRefuses: Allow sqs:SendMessage on {OrdersFallbackQueue.Arn}',
      'SendToFailureQueue: Allow sqs:SendMessage on {OrdersFailureQueue.Arn}',
      'UseTheKeys: Allow kms:Decrypt, kms:DescribeKey, kms:Encrypt, kms:GenerateDataKey on {Key.Arn}, arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666',
      'FindTheBrokers: Allow kafka:DescribeCluster, kafka:DescribeClusterV2, kafka:GetBootstrapBrokers on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ConnectToTheCluster: Allow kafka-cluster:Connect, kafka-cluster:DescribeClusterDynamicConfiguration on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ReadTheTopic: Allow kafka-cluster:DescribeTopic, kafka-cluster:ReadData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/orders',
      'JoinTheGroup: Allow kafka-cluster:AlterGroup, kafka-cluster:DescribeGroup on arn:aws:kafka:eu-central-1:111122223333:group/main/uuid-1/Shop-Orders',
      'WriteDeadLetters: Allow kafka-cluster:DescribeTopic, kafka-cluster:WriteData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/Shop-Orders-dead-letters',
      'ProduceOnward: Allow kafka-cluster:DescribeTopic, kafka-cluster:WriteData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/shipments',
      ...IN_VPC,
    ],
    'OrdersHandlerRoleDefaultPolicy of {OrdersHandlerRole}': [
      'Allow xray:PutTraceSegments, xray:PutTelemetryRecords on *',
    ],
    OrdersOperationsOperatorRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersOperationsOperatorLogs.Arn}',
      'FindTheBrokers: Allow kafka:GetBootstrapBrokers on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'KnowOwnLetters: Allow dynamodb:UpdateItem on {LedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike secret#signing and dynamodb:LeadingKeys Null false',
      'LookAtParkedKeys: Allow dynamodb:BatchGetItem, dynamodb:GetItem on {LedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike parked#uuid-1#Shop-Orders#orders#* and dynamodb:LeadingKeys Null false',
      'ReleaseParkedKeys: Allow lambda:InvokeFunction on {OrdersHandlerFunction.Arn}',
      'UseTheKeys: Allow kms:Decrypt, kms:DescribeKey, kms:Encrypt, kms:GenerateDataKey on {Key.Arn}, arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666',
      'ConnectToTheCluster: Allow kafka-cluster:Connect, kafka-cluster:WriteDataIdempotently on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ReadAndRedrive: Allow kafka-cluster:DescribeTopic, kafka-cluster:ReadData, kafka-cluster:WriteData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/orders, arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/Shop-Orders-dead-letters',
      'SeeItsGroup: Allow kafka-cluster:DescribeGroup on arn:aws:kafka:eu-central-1:111122223333:group/main/uuid-1/Shop-Orders',
      'RedriveInTransactions: Allow kafka-cluster:AlterTransactionalId, kafka-cluster:DescribeTransactionalId on arn:aws:kafka:eu-central-1:111122223333:transactional-id/main/uuid-1/lockstep-redrive.Shop-Orders.Shop-Orders-dead-letters',
      ...IN_VPC,
    ],
    'OrdersOperationsOperatorRoleDefaultPolicy of {OrdersOperationsOperatorRole}': [
      'Allow xray:PutTraceSegments, xray:PutTelemetryRecords on *',
    ],
    OrdersOperationsRelayRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersOperationsRelayLogs.Arn}',
      'FindTheBrokers: Allow kafka:GetBootstrapBrokers on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ClaimPartitions: Allow dynamodb:BatchGetItem, dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:UpdateItem on {LedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#uuid-1#Shop-Orders#orders#*, parked#uuid-1#Shop-Orders#orders#*, secret#signing and dynamodb:LeadingKeys Null false',
      'ReleaseParkedKeys: Allow lambda:InvokeFunction on {OrdersHandlerFunction.Arn}',
      'ReadDeadLetters: Allow kafka-cluster:DescribeTopic, kafka-cluster:ReadData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/Shop-Orders-dead-letters',
      'EmptyTheQueues: Allow sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:ReceiveMessage on {OrdersFallbackQueue.Arn}, {OrdersFailureQueue.Arn}',
      'KeepWhatMustWait: Allow sqs:SendMessage on {OrdersFallbackQueue.Arn}',
      'UseTheKeys: Allow kms:Decrypt, kms:DescribeKey, kms:Encrypt, kms:GenerateDataKey on {Key.Arn}, arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666',
      'ConnectToTheCluster: Allow kafka-cluster:Connect on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ReadTheTopic: Allow kafka-cluster:DescribeTopic, kafka-cluster:ReadData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/orders',
      'SeeWhatIsCommitted: Allow kafka-cluster:DescribeGroup on arn:aws:kafka:eu-central-1:111122223333:group/main/uuid-1/Shop-Orders',
      'WriteDeadLetters: Allow kafka-cluster:DescribeTopic, kafka-cluster:WriteData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/Shop-Orders-dead-letters',
      ...IN_VPC,
    ],
    'OrdersOperationsRelayRoleDefaultPolicy of {OrdersOperationsRelayRole}': [
      'Allow xray:PutTraceSegments, xray:PutTelemetryRecords on *',
    ],
    ...BY_SCHEDULE,
  });
});

test('all grants of the least consumer, on MSK without authentication', () => {
  const template = synth((stack) => {
    const cluster = { clusterArn: CLUSTER.clusterArn, auth: 'none', topics: 'elsewhere' } as const;
    new LockstepConsumer(stack, 'Orders', { ...LEAST, cluster }).grantOperator(onCall(stack));
  });

  expect(grantLines(template)).toEqual({
    'OnCallPolicy of on-call': [
      'FindTheConsumer: Allow cloudformation:DescribeStacks on {AWS::StackId}',
      'SeeTheMapping: Allow lambda:GetEventSourceMapping on arn:{AWS::Partition}:lambda:{AWS::Region}:{AWS::AccountId}:event-source-mapping:{OrdersEventSourceorders}',
      'SeeTheQueues: Allow sqs:GetQueueAttributes on {OrdersFallbackQueue.Arn}',
      'SeeTheAlarms: Allow cloudwatch:DescribeAlarms on arn:{AWS::Partition}:cloudwatch:{AWS::Region}:{AWS::AccountId}:alarm:*',
      'SeeTheLedger: Allow dynamodb:GetItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#uuid-1#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'PauseAndResume: Allow lambda:UpdateEventSourceMapping on arn:{AWS::Partition}:lambda:{AWS::Region}:{AWS::AccountId}:event-source-mapping:{OrdersEventSourceorders}',
      'ChangeTheLedger: Allow dynamodb:PutItem, dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#uuid-1#Shop-Orders#*, decisions#uuid-1#Shop-Orders#* and dynamodb:LeadingKeys Null false',
    ],
    'OrdersFallbackQueuePolicy of {OrdersFallbackQueue}': [
      'Deny AWS * sqs:* on {OrdersFallbackQueue.Arn} if aws:SecureTransport Bool false',
      'OnlyLockstepSends: Deny AWS * sqs:SendMessage on {OrdersFallbackQueue.Arn} if aws:PrincipalArn ArnNotEquals {OrdersHandlerRole.Arn}',
    ],
    OrdersHandlerRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersHandlerLogs.Arn}',
      'KeepOwnProgress: Allow dynamodb:BatchGetItem, dynamodb:GetItem, dynamodb:PartiQLDelete, dynamodb:PartiQLInsert, dynamodb:PartiQLUpdate, dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#uuid-1#Shop-Orders#*, secret#signing, key#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'KeepWhatTheTopicRefuses: Allow sqs:SendMessage on {OrdersFallbackQueue.Arn}',
      'FindTheBrokers: Allow kafka:DescribeCluster, kafka:DescribeClusterV2, kafka:GetBootstrapBrokers on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
    ],
  });
});

test('all grants with a password, on MSK of another account', () => {
  const template = synth((stack) => {
    const vpcConnectionArn = 'arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/main/conn-9';
    const auth = {
      type: 'scram',
      secret: secretOf(stack, 'AmazonMSK_user'),
      encryptionKey: Key.fromKeyArn(stack, 'CredentialsKey', KEY_ARN),
    } as const;
    const consumer = new LockstepConsumer(stack, 'Orders', {
      ...LEAST,
      cluster: { ...CLUSTER, vpcConnectionArn, auth },
      operations: true,
      retry: { onExhausted: 'park', release: { every: Duration.minutes(5) } },
    });
    consumer.grantLook(onCall(stack));
  });

  expect(grantLines(template)).toEqual({
    'OnCallPolicy of on-call': [
      'FindTheConsumer: Allow cloudformation:DescribeStacks on {AWS::StackId}',
      'SeeTheMapping: Allow lambda:GetEventSourceMapping on arn:{AWS::Partition}:lambda:{AWS::Region}:{AWS::AccountId}:event-source-mapping:{OrdersEventSourceorders}',
      'SeeTheQueues: Allow sqs:GetQueueAttributes on {OrdersFallbackQueue.Arn}',
      'SeeTheAlarms: Allow cloudwatch:DescribeAlarms on arn:{AWS::Partition}:cloudwatch:{AWS::Region}:{AWS::AccountId}:alarm:*',
      'SeeTheLedger: Allow dynamodb:GetItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#conn-9#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'SeeParkedKeys: Allow dynamodb:BatchGetItem, dynamodb:GetItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike parked#conn-9#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'AskTheOperator: Allow lambda:InvokeFunction on {OrdersOperationsOperatorFunction.Arn}:look',
    ],
    'OrdersFallbackQueuePolicy of {OrdersFallbackQueue}': [
      'Deny AWS * sqs:* on {OrdersFallbackQueue.Arn} if aws:SecureTransport Bool false',
      'OnlyLockstepSends: Deny AWS * sqs:SendMessage on {OrdersFallbackQueue.Arn} if aws:PrincipalArn ArnNotEquals {OrdersHandlerRole.Arn}, {OrdersOperationsRelayRole.Arn}',
      'OnlyTheRelayTakes: Deny AWS * sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:PurgeQueue, sqs:ReceiveMessage on {OrdersFallbackQueue.Arn} if aws:PrincipalArn ArnNotEquals {OrdersOperationsRelayRole.Arn}',
    ],
    OrdersHandlerRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersHandlerLogs.Arn}',
      'KeepOwnProgress: Allow dynamodb:BatchGetItem, dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:PartiQLDelete, dynamodb:PartiQLInsert, dynamodb:PartiQLUpdate, dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#conn-9#Shop-Orders#*, parked#conn-9#Shop-Orders#*, secret#signing, key#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'KeepWhatTheTopicRefuses: Allow sqs:SendMessage on {OrdersFallbackQueue.Arn}',
      'FindTheBrokers: Allow kafka:DescribeCluster, kafka:DescribeClusterV2, kafka:GetBootstrapBrokers, kafka:ListScramSecrets on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'FindTheConnection: Allow kafka:DescribeVpcConnection on arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/main/conn-9',
      'ReadCredentials: Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:111122223333:secret:AmazonMSK_user-AbCdEf',
      'DecryptCredentials: Allow kms:Decrypt on arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666',
      ...IN_VPC,
    ],
    OrdersOperationsOperatorRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersOperationsOperatorLogs.Arn}',
      'FindTheBrokers: Allow kafka:GetBootstrapBrokers on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ReadCredentials: Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:111122223333:secret:AmazonMSK_user-AbCdEf',
      'DecryptCredentials: Allow kms:Decrypt on arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666',
      'KnowOwnLetters: Allow dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike secret#signing and dynamodb:LeadingKeys Null false',
      'LookAtParkedKeys: Allow dynamodb:BatchGetItem, dynamodb:GetItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike parked#conn-9#Shop-Orders#orders#* and dynamodb:LeadingKeys Null false',
      'ReleaseParkedKeys: Allow lambda:InvokeFunction on {OrdersHandlerFunction.Arn}',
      ...IN_VPC,
    ],
    OrdersOperationsRelayRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersOperationsRelayLogs.Arn}',
      'FindTheBrokers: Allow kafka:GetBootstrapBrokers on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ReadCredentials: Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:111122223333:secret:AmazonMSK_user-AbCdEf',
      'DecryptCredentials: Allow kms:Decrypt on arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666',
      'ClaimPartitions: Allow dynamodb:BatchGetItem, dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#conn-9#Shop-Orders#orders#*, parked#conn-9#Shop-Orders#orders#*, secret#signing and dynamodb:LeadingKeys Null false',
      'ReleaseParkedKeys: Allow lambda:InvokeFunction on {OrdersHandlerFunction.Arn}',
      'EmptyTheQueues: Allow sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:ReceiveMessage on {OrdersFallbackQueue.Arn}',
      'KeepWhatMustWait: Allow sqs:SendMessage on {OrdersFallbackQueue.Arn}',
      ...IN_VPC,
    ],
    ...BY_SCHEDULE,
  });
});

test('all grants with a certificate, for a function of the app, on a self-managed cluster', () => {
  const template = synth((stack) => {
    const { entry: _, checkHandler: __, ...least } = LEAST;
    const mine = new LambdaFunction(stack, 'Mine', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline('exports.handler = () => {}'),
      timeout: Duration.seconds(60),
    });
    const consumer = new LockstepConsumer(stack, 'Orders', {
      ...least,
      function: mine,
      cluster: {
        clusterId: 'own',
        bootstrapServers: 'kafka-1.example.com:9093',
        auth: { type: 'mtls', secret: secretOf(stack, 'client') },
        rootCertificate: secretOf(stack, 'root'),
      },
      operations: true,
      retry: { onExhausted: 'park' },
    });
    consumer.grantLook(onCall(stack));
  });

  expect(grantLines(template)).toEqual({
    MineServiceRole: [TRUST],
    'OnCallPolicy of on-call': [
      'FindTheConsumer: Allow cloudformation:DescribeStacks on {AWS::StackId}',
      'SeeTheMapping: Allow lambda:GetEventSourceMapping on arn:{AWS::Partition}:lambda:{AWS::Region}:{AWS::AccountId}:event-source-mapping:{OrdersEventSourceorders}',
      'SeeTheQueues: Allow sqs:GetQueueAttributes on {OrdersFallbackQueue.Arn}',
      'SeeTheAlarms: Allow cloudwatch:DescribeAlarms on arn:{AWS::Partition}:cloudwatch:{AWS::Region}:{AWS::AccountId}:alarm:*',
      'SeeTheLedger: Allow dynamodb:GetItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#own#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'SeeParkedKeys: Allow dynamodb:BatchGetItem, dynamodb:GetItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike parked#own#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'AskTheOperator: Allow lambda:InvokeFunction on {OrdersOperationsOperatorFunction.Arn}:look',
    ],
    'OrdersFallbackQueuePolicy of {OrdersFallbackQueue}': [
      'Deny AWS * sqs:* on {OrdersFallbackQueue.Arn} if aws:SecureTransport Bool false',
      'OnlyLockstepSends: Deny AWS * sqs:SendMessage on {OrdersFallbackQueue.Arn} if aws:PrincipalArn ArnNotEquals {MineServiceRole.Arn}, {OrdersOperationsRelayRole.Arn}',
      'OnlyTheRelayTakes: Deny AWS * sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:PurgeQueue, sqs:ReceiveMessage on {OrdersFallbackQueue.Arn} if aws:PrincipalArn ArnNotEquals {OrdersOperationsRelayRole.Arn}',
    ],
    'OrdersHandlerPermissions of {MineServiceRole}': [
      'KeepOwnProgress: Allow dynamodb:BatchGetItem, dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:PartiQLDelete, dynamodb:PartiQLInsert, dynamodb:PartiQLUpdate, dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#own#Shop-Orders#*, parked#own#Shop-Orders#*, secret#signing, key#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'KeepWhatTheTopicRefuses: Allow sqs:SendMessage on {OrdersFallbackQueue.Arn}',
      'ReadCredentials: Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:111122223333:secret:client-AbCdEf, arn:aws:secretsmanager:eu-central-1:111122223333:secret:root-AbCdEf',
    ],
    OrdersOperationsOperatorRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersOperationsOperatorLogs.Arn}',
      'ReadCredentials: Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:111122223333:secret:client-AbCdEf, arn:aws:secretsmanager:eu-central-1:111122223333:secret:root-AbCdEf',
      'KnowOwnLetters: Allow dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike secret#signing and dynamodb:LeadingKeys Null false',
      'LookAtParkedKeys: Allow dynamodb:BatchGetItem, dynamodb:GetItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike parked#own#Shop-Orders#orders#* and dynamodb:LeadingKeys Null false',
      'ReleaseParkedKeys: Allow lambda:InvokeFunction on {Mine.Arn}',
    ],
    OrdersOperationsRelayRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersOperationsRelayLogs.Arn}',
      'ReadCredentials: Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:111122223333:secret:client-AbCdEf, arn:aws:secretsmanager:eu-central-1:111122223333:secret:root-AbCdEf',
      'ClaimPartitions: Allow dynamodb:BatchGetItem, dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#own#Shop-Orders#orders#*, parked#own#Shop-Orders#orders#*, secret#signing and dynamodb:LeadingKeys Null false',
      'EmptyTheQueues: Allow sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:ReceiveMessage on {OrdersFallbackQueue.Arn}',
      'KeepWhatMustWait: Allow sqs:SendMessage on {OrdersFallbackQueue.Arn}',
    ],
    ...BY_SCHEDULE,
  });
});

test('all grants for a role that is imported', () => {
  const template = synth((stack) => {
    const role = Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::111122223333:role/consumers', { mutable: false });
    new LockstepConsumer(stack, 'Orders', {
      ...LEAST,
      role,
      operations: true,
      encryptionKey: Key.fromKeyArn(stack, 'Key', KEY_ARN),
    });
  });

  expect(grantLines(template)).toEqual({
    'OrdersFallbackQueuePolicy of {OrdersFallbackQueue}': [
      'Deny AWS * sqs:* on {OrdersFallbackQueue.Arn} if aws:SecureTransport Bool false',
      'OnlyLockstepSends: Deny AWS * sqs:SendMessage on {OrdersFallbackQueue.Arn} if aws:PrincipalArn ArnNotEquals arn:aws:iam::111122223333:role/consumers, {OrdersOperationsRelayRole.Arn}',
      'OnlyTheRelayTakes: Deny AWS * sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:PurgeQueue, sqs:ReceiveMessage on {OrdersFallbackQueue.Arn} if aws:PrincipalArn ArnNotEquals {OrdersOperationsRelayRole.Arn}',
    ],
    'OrdersHandlerPermissions of consumers': [
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersHandlerLogs.Arn}',
      'KeepOwnProgress: Allow dynamodb:BatchGetItem, dynamodb:GetItem, dynamodb:PartiQLDelete, dynamodb:PartiQLInsert, dynamodb:PartiQLUpdate, dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#uuid-1#Shop-Orders#*, secret#signing, key#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'KeepWhatTheTopicRefuses: Allow sqs:SendMessage on {OrdersFallbackQueue.Arn}',
      'UseTheKeys: Allow kms:Decrypt, kms:DescribeKey, kms:Encrypt, kms:GenerateDataKey on arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666',
      'FindTheBrokers: Allow kafka:DescribeCluster, kafka:DescribeClusterV2, kafka:GetBootstrapBrokers on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ConnectToTheCluster: Allow kafka-cluster:Connect, kafka-cluster:DescribeClusterDynamicConfiguration on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ReadTheTopic: Allow kafka-cluster:DescribeTopic, kafka-cluster:ReadData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/orders',
      'JoinTheGroup: Allow kafka-cluster:AlterGroup, kafka-cluster:DescribeGroup on arn:aws:kafka:eu-central-1:111122223333:group/main/uuid-1/Shop-Orders',
      'WriteDeadLetters: Allow kafka-cluster:DescribeTopic, kafka-cluster:WriteData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/Shop-Orders-dead-letters',
      ...IN_VPC,
    ],
    OrdersOperationsOperatorRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersOperationsOperatorLogs.Arn}',
      'FindTheBrokers: Allow kafka:GetBootstrapBrokers on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'KnowOwnLetters: Allow dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike secret#signing and dynamodb:LeadingKeys Null false',
      'UseTheKeys: Allow kms:Decrypt, kms:DescribeKey, kms:Encrypt, kms:GenerateDataKey on arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666',
      'ConnectToTheCluster: Allow kafka-cluster:Connect, kafka-cluster:WriteDataIdempotently on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ReadAndRedrive: Allow kafka-cluster:DescribeTopic, kafka-cluster:ReadData, kafka-cluster:WriteData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/orders, arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/Shop-Orders-dead-letters',
      'SeeItsGroup: Allow kafka-cluster:DescribeGroup on arn:aws:kafka:eu-central-1:111122223333:group/main/uuid-1/Shop-Orders',
      'RedriveInTransactions: Allow kafka-cluster:AlterTransactionalId, kafka-cluster:DescribeTransactionalId on arn:aws:kafka:eu-central-1:111122223333:transactional-id/main/uuid-1/lockstep-redrive.Shop-Orders.Shop-Orders-dead-letters',
      ...IN_VPC,
    ],
    OrdersOperationsRelayRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersOperationsRelayLogs.Arn}',
      'FindTheBrokers: Allow kafka:GetBootstrapBrokers on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ClaimPartitions: Allow dynamodb:GetItem, dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#uuid-1#Shop-Orders#orders#*, secret#signing and dynamodb:LeadingKeys Null false',
      'EmptyTheQueues: Allow sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:ReceiveMessage on {OrdersFallbackQueue.Arn}',
      'KeepWhatMustWait: Allow sqs:SendMessage on {OrdersFallbackQueue.Arn}',
      'UseTheKeys: Allow kms:Decrypt, kms:DescribeKey, kms:Encrypt, kms:GenerateDataKey on arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666',
      'ConnectToTheCluster: Allow kafka-cluster:Connect on arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
      'ReadTheTopic: Allow kafka-cluster:DescribeTopic, kafka-cluster:ReadData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/orders',
      'SeeWhatIsCommitted: Allow kafka-cluster:DescribeGroup on arn:aws:kafka:eu-central-1:111122223333:group/main/uuid-1/Shop-Orders',
      'WriteDeadLetters: Allow kafka-cluster:DescribeTopic, kafka-cluster:WriteData on arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/Shop-Orders-dead-letters',
      ...IN_VPC,
    ],
    ...BY_SCHEDULE,
  });
});

test('all grants of a cluster that the app makes under its own key, and of a consumer of it', () => {
  const template = synth((stack) => {
    const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
      vpcId: 'vpc-01234567',
      availabilityZones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],
      isolatedSubnetIds: ['subnet-01234567', 'subnet-89abcdef', 'subnet-02345678'],
    });
    const cluster = new MskCluster(stack, 'Kafka', {
      vpc,
      clusterName: 'main',
      kafkaVersion: '3.9.x.kraft',
      brokerType: 'kafka.m7g.large',
      storageGiBPerBroker: 100,
      encryptionKey: new Key(stack, 'Key'),
    });
    new LockstepConsumer(stack, 'Orders', { ...LEAST, cluster });
  });

  expect(grantLines(template)).toEqual({
    Key: [
      'Allow AWS arn:{AWS::Partition}:iam::{AWS::AccountId}:root kms:* on *',
      'Allow Service logs.{AWS::Region}.amazonaws.com kms:Decrypt*, kms:Describe*, kms:Encrypt*, kms:GenerateDataKey*, kms:ReEncrypt* on * if kms:EncryptionContext:aws:logs:arn ArnLike arn:{AWS::Partition}:logs:{AWS::Region}:{AWS::AccountId}:log-group:*',
    ],
    'OrdersFallbackQueuePolicy of {OrdersFallbackQueue}': [
      'Deny AWS * sqs:* on {OrdersFallbackQueue.Arn} if aws:SecureTransport Bool false',
      'OnlyLockstepSends: Deny AWS * sqs:SendMessage on {OrdersFallbackQueue.Arn} if aws:PrincipalArn ArnNotEquals {OrdersHandlerRole.Arn}',
    ],
    OrdersHandlerRole: [
      TRUST,
      'WriteOwnLogs: Allow logs:CreateLogStream, logs:PutLogEvents on {OrdersHandlerLogs.Arn}',
      'KeepOwnProgress: Allow dynamodb:BatchGetItem, dynamodb:GetItem, dynamodb:PartiQLDelete, dynamodb:PartiQLInsert, dynamodb:PartiQLUpdate, dynamodb:UpdateItem on {LockstepLedgerTable.Arn} if dynamodb:LeadingKeys ForAllValues:StringLike partition#{part 2 of {Kafka.Arn} at /}#Shop-Orders#*, secret#signing, key#Shop-Orders#* and dynamodb:LeadingKeys Null false',
      'KeepWhatTheTopicRefuses: Allow sqs:SendMessage on {OrdersFallbackQueue.Arn}',
      'FindTheBrokers: Allow kafka:DescribeCluster, kafka:DescribeClusterV2, kafka:GetBootstrapBrokers on {Kafka.Arn}',
      'ConnectToTheCluster: Allow kafka-cluster:Connect, kafka-cluster:DescribeClusterDynamicConfiguration on {Kafka.Arn}',
      'ReadTheTopic: Allow kafka-cluster:DescribeTopic, kafka-cluster:ReadData on {part 0 of {Kafka.Arn} at :cluster/}:topic/{part 1 of {Kafka.Arn} at :cluster/}/orders',
      'JoinTheGroup: Allow kafka-cluster:AlterGroup, kafka-cluster:DescribeGroup on {part 0 of {Kafka.Arn} at :cluster/}:group/{part 1 of {Kafka.Arn} at :cluster/}/Shop-Orders',
      'WriteDeadLetters: Allow kafka-cluster:DescribeTopic, kafka-cluster:WriteData on {part 0 of {Kafka.Arn} at :cluster/}:topic/{part 1 of {Kafka.Arn} at :cluster/}/Shop-Orders-dead-letters',
      ...IN_VPC,
    ],
  });
});
