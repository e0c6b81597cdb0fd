import { Match, type Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { describe, expect, test } from 'vitest';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { CLUSTER, LEAST, only, roleStatements, type Statement, synth, synthConsumer } from '../synth.ts';

/** The statements of the only role, in all its policies, by their ids. */
function grants(template: Template): Record<string, Omit<Statement, 'Sid'>> {
  return Object.fromEntries(roleStatements(template).map(({ Sid, ...statement }) => [Sid, statement]));
}

const CLUSTER_ARN = 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1';

const OWN = {
  WriteOwnLogs: {
    Effect: 'Allow',
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: { 'Fn::GetAtt': [expect.stringMatching(/^OrdersHandlerLogs/), 'Arn'] },
  },
  KeepOwnProgress: {
    Effect: 'Allow',
    Action: [
      'dynamodb:BatchGetItem',
      'dynamodb:GetItem',
      'dynamodb:PartiQLDelete',
      'dynamodb:PartiQLInsert',
      'dynamodb:PartiQLUpdate',
      'dynamodb:UpdateItem',
    ],
    Resource: { 'Fn::GetAtt': [expect.stringMatching(/^LockstepLedger/), 'Arn'] },
    Condition: {
      'ForAllValues:StringLike': {
        'dynamodb:LeadingKeys': ['partition#uuid-1#Shop-Orders#*', 'secret#signing', 'key#Shop-Orders#*'],
      },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  },
  KeepWhatTheTopicRefuses: {
    Effect: 'Allow',
    Action: 'sqs:SendMessage',
    Resource: { 'Fn::GetAtt': [expect.stringMatching(/^OrdersFallbackQueue/), 'Arn'] },
  },
  FindTheBrokers: {
    Effect: 'Allow',
    Action: ['kafka:DescribeCluster', 'kafka:DescribeClusterV2', 'kafka:GetBootstrapBrokers'],
    Resource: CLUSTER_ARN,
  },
  AttachToTheVpc: {
    Effect: 'Allow',
    Action: [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:DescribeVpcs',
      'ec2:UnassignPrivateIpAddresses',
    ],
    Resource: '*',
  },
  NotFromTheHandler: {
    Effect: 'Deny',
    Action: [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:DescribeVpcs',
      'ec2:UnassignPrivateIpAddresses',
    ],
    Resource: '*',
    Condition: { ArnLike: { 'lambda:SourceFunctionArn': 'arn:*:lambda:*:*:function:*' } },
  },
};

const KAFKA = {
  ConnectToTheCluster: {
    Effect: 'Allow',
    Action: ['kafka-cluster:Connect', 'kafka-cluster:DescribeClusterDynamicConfiguration'],
    Resource: CLUSTER_ARN,
  },
  ReadTheTopic: {
    Effect: 'Allow',
    Action: ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'],
    Resource: 'arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/orders',
  },
  JoinTheGroup: {
    Effect: 'Allow',
    Action: ['kafka-cluster:AlterGroup', 'kafka-cluster:DescribeGroup'],
    Resource: 'arn:aws:kafka:eu-central-1:111122223333:group/main/uuid-1/Shop-Orders',
  },
  WriteDeadLetters: {
    Effect: 'Allow',
    Action: ['kafka-cluster:DescribeTopic', 'kafka-cluster:WriteData'],
    Resource: 'arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/Shop-Orders-dead-letters',
  },
};

describe('the role of a consumer', () => {
  test('may do exactly what function and mapping need, on exactly its own things', () => {
    expect(grants(synthConsumer())).toEqual({ ...OWN, ...KAFKA });
  });

  test('has no managed policy, which would bring rights on everything', () => {
    expect(only(synthConsumer(), 'AWS::IAM::Role')).not.toHaveProperty('ManagedPolicyArns');
  });

  test('has no right of MSK access control where the cluster asks for none', () => {
    const template = synthConsumer({ cluster: { clusterArn: CLUSTER_ARN, auth: 'none', topics: 'elsewhere' } });
    // Nor of network interfaces where it has no VPC.
    const { AttachToTheVpc: _, NotFromTheHandler: __, ...own } = OWN;
    expect(grants(template)).toEqual(own);
  });

  test('may write to the topics that the handler produces to, and to no others', () => {
    const { ProduceOnward, ...rest } = grants(synthConsumer({ producesTo: ['shipments', 'invoices'] }));
    expect(rest).toEqual({ ...OWN, ...KAFKA });
    expect(ProduceOnward).toEqual({
      Effect: 'Allow',
      Action: ['kafka-cluster:DescribeTopic', 'kafka-cluster:WriteData'],
      Resource: [
        'arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/shipments',
        'arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/invoices',
      ],
    });
  });

  test('may read, not write, whose keys are held in a namespace that it shares', () => {
    const { SeeWhoHoldsSharedKeys, KeepOwnProgress } = grants(synthConsumer({ keyNamespaces: ['payments'] }));
    expect(SeeWhoHoldsSharedKeys).toEqual({
      Effect: 'Allow',
      Action: 'dynamodb:GetItem',
      Resource: { 'Fn::GetAtt': [expect.stringMatching(/^LockstepLedger/), 'Arn'] },
      Condition: {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['partition#*'] },
        Null: { 'dynamodb:LeadingKeys': 'false' },
      },
    });
    expect(KeepOwnProgress?.Condition).toEqual({
      'ForAllValues:StringLike': {
        'dynamodb:LeadingKeys': ['partition#uuid-1#Shop-Orders#*', 'secret#signing', 'key#payments#*'],
      },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    });
  });

  test('may send to its own failure queue, and to no other queue', () => {
    const { SendToFailureQueue, ...rest } = grants(synthConsumer({ onFailureDestination: { retryAttempts: 100 } }));
    expect(rest).toEqual({ ...OWN, ...KAFKA });
    expect(SendToFailureQueue).toEqual({
      Effect: 'Allow',
      Action: 'sqs:SendMessage',
      Resource: { 'Fn::GetAtt': [expect.stringMatching(/^OrdersFailureQueue/), 'Arn'] },
    });
  });

  test('may use the key that everything is encrypted with', () => {
    const template = synth((stack) => {
      const encryptionKey = new Key(stack, 'Key');
      new LockstepConsumer(stack, 'Orders', { ...LEAST, encryptionKey });
    });
    const key = { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] };
    const { UseTheKeys, ...rest } = grants(template);
    expect(rest).toEqual({ ...OWN, ...KAFKA });
    expect(UseTheKeys).toEqual({
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
      Resource: key,
    });
    expect(only(template, 'AWS::SQS::Queue')['KmsMasterKeyId']).toEqual(key);
    expect(only(template, 'AWS::Logs::LogGroup')['KmsKeyId']).toEqual(key);
    expect(only(template, 'AWS::Lambda::Function')['KmsKeyArn']).toEqual(key);
    expect(only(template, 'AWS::DynamoDB::Table')).toMatchObject({
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: key },
    });
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { Service: { 'Fn::Join': ['', ['logs.', { Ref: 'AWS::Region' }, '.amazonaws.com']] } },
            Condition: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': Match.anyValue() } },
          }),
        ]),
      },
    });
  });

  test('may read the credentials of a SCRAM cluster', () => {
    const template = synth((stack) => {
      const encryptionKey = Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-central-1:111122223333:key/k-1');
      const secret = Secret.fromSecretCompleteArn(
        stack,
        'Secret',
        'arn:aws:secretsmanager:eu-central-1:111122223333:secret:AmazonMSK_orders-AbCdEf',
      );
      const cluster = { ...CLUSTER, auth: { type: 'scram', secret, encryptionKey } } as const;
      new LockstepConsumer(stack, 'Orders', { ...LEAST, cluster });
    });
    const { FindTheBrokers, ReadCredentials, DecryptCredentials, ...rest } = grants(template);
    expect(FindTheBrokers?.Action).toEqual([
      'kafka:DescribeCluster',
      'kafka:DescribeClusterV2',
      'kafka:GetBootstrapBrokers',
      'kafka:ListScramSecrets',
    ]);
    expect(ReadCredentials).toEqual({
      Effect: 'Allow',
      Action: 'secretsmanager:GetSecretValue',
      Resource: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:AmazonMSK_orders-AbCdEf',
    });
    expect(DecryptCredentials).toEqual({
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: 'arn:aws:kms:eu-central-1:111122223333:key/k-1',
    });
    const { FindTheBrokers: _, ...own } = OWN;
    expect(rest).toEqual(own);
    expect(only(template, 'AWS::Lambda::EventSourceMapping')).toMatchObject({
      SourceAccessConfigurations: [
        {
          Type: 'SASL_SCRAM_512_AUTH',
          URI: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:AmazonMSK_orders-AbCdEf',
        },
      ],
    });
  });

  test('may read the client certificate of a cluster with mutual TLS', () => {
    const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-client-AbCdEf';
    const template = synth((stack) => {
      const secret = Secret.fromSecretCompleteArn(stack, 'Secret', secretArn);
      const cluster = { ...CLUSTER, auth: { type: 'mtls', secret } } as const;
      new LockstepConsumer(stack, 'Orders', { ...LEAST, cluster });
    });
    const { ReadCredentials, ...rest } = grants(template);
    expect(ReadCredentials).toEqual({ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: secretArn });
    expect(rest).toEqual(OWN);
    expect(only(template, 'AWS::Lambda::EventSourceMapping')).toMatchObject({
      SourceAccessConfigurations: [{ Type: 'CLIENT_CERTIFICATE_TLS_AUTH', URI: secretArn }],
    });
  });

  test('reads a cluster of another account through its VPC connection, and keeps its items under that', () => {
    const vpcConnectionArn = 'arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/main/conn-9';
    const template = synthConsumer({ cluster: { ...CLUSTER, vpcConnectionArn } });
    const statements = grants(template);
    expect(statements['FindTheConnection']).toEqual({
      Effect: 'Allow',
      Action: 'kafka:DescribeVpcConnection',
      Resource: vpcConnectionArn,
    });
    expect(statements['KeepOwnProgress']?.Condition).toEqual({
      'ForAllValues:StringLike': {
        'dynamodb:LeadingKeys': ['partition#conn-9#Shop-Orders#*', 'secret#signing', 'key#Shop-Orders#*'],
      },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    });
    expect(statements['ReadTheTopic']?.Resource).toBe(
      'arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1/orders',
    );
    expect(only(template, 'AWS::Lambda::EventSourceMapping')['EventSourceArn']).toBe(vpcConnectionArn);
    template.resourceCountIs('AWS::MSK::Topic', 0);
  });

  test('may read a secret that is imported by its name, under the suffix that Secrets Manager gives it, as CDK would', () => {
    const template = synth((stack) => {
      const secret = Secret.fromSecretNameV2(stack, 'Secret', 'AmazonMSK_orders');
      const encryptionKey = Key.fromKeyArn(stack, 'CredentialsKey', 'arn:aws:kms:eu-central-1:111122223333:key/k-1');
      const cluster = { ...CLUSTER, auth: { type: 'scram', secret, encryptionKey } } as const;
      new LockstepConsumer(stack, 'Orders', { ...LEAST, cluster });
      const other = new Role(stack, 'Other', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
      secret.grantRead(other);
    });
    const [ours, cdks] = ['OrdersHandlerRole', 'Other'].map((id) =>
      roleStatements(template, id).filter(({ Action }) => [Action].flat().includes('secretsmanager:GetSecretValue')),
    );
    expect(JSON.stringify(ours?.[0]?.Resource)).toContain(':secret:AmazonMSK_orders-??????');
    expect(ours?.[0]?.Resource).toEqual(cdks?.[0]?.Resource);
  });
});
