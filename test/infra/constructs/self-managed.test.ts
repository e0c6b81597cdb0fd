import { Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { describe, expect, test } from 'vitest';
import type { SelfManagedKafka } from '../../../infra/constructs/kafka-cluster.ts';
import { only, roleStatements, synthAlarms, synthConsumer } from '../synth.ts';

const SECRETS = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:';
const elsewhere = new Stack();
const secret = Secret.fromSecretCompleteArn(elsewhere, 'Secret', `${SECRETS}kafka-AbCdEf`);
const rootCertificate = Secret.fromSecretCompleteArn(elsewhere, 'Root', `${SECRETS}root-GhIjKl`);
const encryptionKey = Key.fromKeyArn(elsewhere, 'Key', 'arn:aws:kms:eu-central-1:111122223333:key/k-1');

const ON_THE_INTERNET: SelfManagedKafka = {
  clusterId: 'lkc-1',
  bootstrapServers: 'pkc-1.eu-central-1.aws.confluent.cloud:9092, pkc-2.eu-central-1.aws.confluent.cloud:9092',
  auth: { type: 'plain', secret },
};
const IN_A_VPC: SelfManagedKafka = {
  clusterId: 'own',
  bootstrapServers: 'kafka-1.internal:9093',
  auth: { type: 'mtls', secret, encryptionKey },
  rootCertificate,
  vpcId: 'vpc-01234567',
  subnetIds: ['subnet-01234567', 'subnet-89abcdef'],
  securityGroupIds: ['sg-0123456789abcdef0'],
};

describe('a self-managed cluster on the internet', () => {
  const template = synthConsumer({ cluster: ON_THE_INTERNET, operations: true });

  test('is read by its brokers, in the consumer’s group, with everything that a provisioned mapping has', () => {
    expect(
      Object.values(template.findResources('AWS::Lambda::EventSourceMapping')).find(
        ({ Properties }) => Properties['Topics'] !== undefined,
      )?.['Properties'],
    ).toMatchObject({
      SelfManagedEventSource: {
        Endpoints: {
          KafkaBootstrapServers: [
            'pkc-1.eu-central-1.aws.confluent.cloud:9092',
            'pkc-2.eu-central-1.aws.confluent.cloud:9092',
          ],
        },
      },
      SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: 'Shop-Orders' },
      SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: `${SECRETS}kafka-AbCdEf` }],
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRetryAttempts: -1,
    });
  });

  test('needs no VPC, no topic of CloudFormation, and no right on MSK or on network interfaces', () => {
    template.resourceCountIs('AWS::MSK::Topic', 0);
    template.resourcePropertiesCountIs('AWS::Lambda::Function', { VpcConfig: {} }, 0);
    const actions = roleStatements(template).flatMap(({ Action }) => Action);
    expect(actions.filter((action) => /^(kafka|ec2)/.test(action))).toEqual([]);
    expect(roleStatements(template).filter(({ Sid }) => Sid === 'ReadCredentials')).toHaveLength(3);
  });

  test('is in the ledger’s keys by its id, never by its brokers', () => {
    expect(JSON.stringify(roleStatements(template))).toContain('partition#lkc-1#Shop-Orders#*');
    expect(JSON.stringify(template.toJSON()['Outputs'])).toContain('ClusterId\\":\\"lkc-1');
    template.allResourcesProperties('AWS::Lambda::Function', {
      Environment: { Variables: { LOCKSTEP_CLUSTER_ARN: 'lkc-1', LOCKSTEP_EVENT_SOURCE_ARN: 'lkc-1' } },
    });
  });
});

describe('a self-managed cluster in a VPC', () => {
  const template = synthConsumer({ cluster: IN_A_VPC });

  test('is read from its subnets, with the client’s certificate, and with the authority that signed the brokers’', () => {
    expect(only(template, 'AWS::Lambda::EventSourceMapping')['SourceAccessConfigurations']).toEqual([
      { Type: 'CLIENT_CERTIFICATE_TLS_AUTH', URI: `${SECRETS}kafka-AbCdEf` },
      { Type: 'SERVER_ROOT_CA_CERTIFICATE', URI: `${SECRETS}root-GhIjKl` },
      { Type: 'VPC_SUBNET', URI: 'subnet:subnet-01234567' },
      { Type: 'VPC_SUBNET', URI: 'subnet:subnet-89abcdef' },
      { Type: 'VPC_SECURITY_GROUP', URI: 'security_group:sg-0123456789abcdef0' },
    ]);
  });

  test('lets the role read the two secrets, and use their key', () => {
    const statements = new Map(roleStatements(template).map(({ Sid, Resource }) => [Sid, Resource]));
    expect(statements.get('ReadCredentials')).toEqual([`${SECRETS}kafka-AbCdEf`, `${SECRETS}root-GhIjKl`]);
    expect(statements.get('DecryptCredentials')).toBe('arn:aws:kms:eu-central-1:111122223333:key/k-1');
    expect([...statements.keys()]).toContain('AttachToTheVpc');
  });
});

test('the mapping tells the lag of a self-managed cluster, since no broker tells CloudWatch', () => {
  const alarms = Object.values(synthAlarms({ cluster: ON_THE_INTERNET }).findResources('AWS::CloudWatch::Alarm'));
  const names = alarms.map(({ Properties }) => Properties['AlarmName']);
  expect(names).toContain('Shop-Orders-lag-records');
  expect(names).not.toContain('Shop-Orders-lag-time');
});
