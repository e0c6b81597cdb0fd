import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { stageConfig } from '../../infra/stage-config.ts';
import { addStageStacks } from '../../infra/stage-stacks.ts';
import { alarmRules } from './alarm-rules.ts';
import { only, STRICT } from './synth.ts';

const app = new App({ context: { ...STRICT, 'aws:cdk:bundling-stacks': [] } });
const context = {
  stage: 'cluster',
  clusterArn: undefined,
  creditCheckUrl: undefined,
  region: 'eu-west-1',
  alarmEmail: undefined,
};
addStageStacks(app, stageConfig(context));
const assembly = app.synth();
const kafka = Template.fromJSON(assembly.getStackByName('Lockstep-Kafka-cluster').template);
const consumers = Template.fromJSON(assembly.getStackByName('Lockstep-Orders-cluster').template);

const ofBroker = (id: number) => ({
  [`under-min-isr-${id}`]: `AWS/Kafka UnderMinIsrPartitionCount of Broker ID ${id}, Cluster Name Lockstep-Kafka-cluster: Maximum of 60 s > 0, 5 of 5, missing: notBreaching`,
  [`broker-disk-${id}`]: `AWS/Kafka KafkaDataLogsDiskUsed of Broker ID ${id}, Cluster Name Lockstep-Kafka-cluster: Maximum of 60 s > 85, 15 of 15, missing: notBreaching`,
  [`broker-cpu-${id}`]: `AWS/Kafka CpuUser of Broker ID ${id}, Cluster Name Lockstep-Kafka-cluster: Average of 60 s > 60, 15 of 15, missing: notBreaching`,
});

describe('the cluster stage', () => {
  test('makes a VPC over three zones from which nothing leads out', () => {
    const zones = Object.values(kafka.findResources('AWS::EC2::Subnet')).map(
      (subnet) => subnet['Properties'].AvailabilityZone,
    );
    expect(zones).toEqual(['eu-west-1a', 'eu-west-1b', 'eu-west-1c']);
    kafka.resourceCountIs('AWS::EC2::NatGateway', 0);
    kafka.resourceCountIs('AWS::EC2::InternetGateway', 0);
  });

  test('reaches DynamoDB by a gateway, SQS, MSK’s API and Lambda by interfaces that only Kafka’s clients may use', () => {
    const endpoints = Object.values(kafka.findResources('AWS::EC2::VPCEndpoint')).map(
      (endpoint) => endpoint['Properties'],
    );
    const clients = { 'Fn::GetAtt': [expect.stringMatching(/^ClusterClients/), 'GroupId'] };
    const sqs = { 'Fn::GetAtt': [expect.stringMatching(/^SqsEndpoint/), 'GroupId'] };
    const inGroup = { VpcEndpointType: 'Interface', SecurityGroupIds: [sqs] };
    expect(endpoints).toMatchObject([
      { VpcEndpointType: 'Gateway' },
      { ...inGroup, ServiceName: 'com.amazonaws.eu-west-1.sqs' },
      { ...inGroup, ServiceName: 'com.amazonaws.eu-west-1.kafka' },
      { ...inGroup, ServiceName: 'com.amazonaws.eu-west-1.lambda' },
    ]);
    const rules = Object.values(kafka.findResources('AWS::EC2::SecurityGroupIngress')).map(
      (rule) => rule['Properties'],
    );
    expect(rules).toMatchObject([
      { IpProtocol: 'tcp', FromPort: 9098, ToPort: 9098, GroupId: clients, SourceSecurityGroupId: clients },
      { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, GroupId: sqs, SourceSecurityGroupId: clients },
    ]);
    const groups = Object.values(kafka.findResources('AWS::EC2::SecurityGroup')).map((group) => group['Properties']);
    for (const group of groups) expect(group).not.toHaveProperty('SecurityGroupIngress');
    // CDK says with an address that nobody has that a group lets nothing out.
    expect(groups).toMatchObject([
      { GroupDescription: 'Kafka brokers and their clients', SecurityGroupEgress: [{ CidrIp: '0.0.0.0/0' }] },
      { GroupDescription: 'SQS endpoint', SecurityGroupEgress: [{ CidrIp: '255.255.255.255/32' }] },
    ]);
  });

  test('makes a cluster without ZooKeeper that knows IAM only, encrypts everything, keeps its logs and measures lag by partition', () => {
    kafka.hasResource('AWS::MSK::Cluster', { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
    expect(only(kafka, 'AWS::MSK::Cluster')).toMatchObject({
      KafkaVersion: expect.stringMatching(/\.kraft$/),
      NumberOfBrokerNodes: 3,
      ClientAuthentication: {
        Sasl: { Iam: { Enabled: true }, Scram: { Enabled: false } },
        Unauthenticated: { Enabled: false },
      },
      EncryptionInfo: { EncryptionInTransit: { ClientBroker: 'TLS', InCluster: true } },
      EnhancedMonitoring: 'PER_TOPIC_PER_PARTITION',
      LoggingInfo: { BrokerLogs: { CloudWatchLogs: { Enabled: true } } },
    });
    expect(String(only(kafka, 'AWS::MSK::Configuration')['ServerProperties']).split('\n')).toEqual([
      'auto.create.topics.enable=false',
      'default.replication.factor=3',
      'min.insync.replicas=2',
      'unclean.leader.election.enable=false',
    ]);
  });

  test('watches the cluster and each broker', () => {
    expect(alarmRules(kafka)).toEqual({
      'offline-partitions':
        'AWS/Kafka OfflinePartitionsCount of Cluster Name Lockstep-Kafka-cluster: Maximum of 60 s > 0, 3 of 3, missing: notBreaching',
      'no-controller':
        'AWS/Kafka ActiveControllerCount of Cluster Name Lockstep-Kafka-cluster: Maximum of 60 s < 1, 5 of 5, missing: breaching',
      ...ofBroker(1),
      ...ofBroker(2),
      ...ofBroker(3),
    });
  });

  test('makes the source topic and the dead-letter topic before the mapping, and keeps both', () => {
    const topics = consumers.findResources('AWS::MSK::Topic');
    const [mapping] = Object.values(consumers.findResources('AWS::Lambda::EventSourceMapping'));
    expect(mapping?.['DependsOn']).toEqual(expect.arrayContaining(Object.keys(topics)));
    expect(Object.values(topics).map((topic) => [topic['Properties'].TopicName, topic['DeletionPolicy']])).toEqual(
      expect.arrayContaining([
        ['orders', 'RetainExceptOnCreate'],
        ['Lockstep-Orders-cluster-Orders-dead-letters', 'RetainExceptOnCreate'],
      ]),
    );
  });

  test('keeps what consumers know when the stacks go', () => {
    for (const type of ['AWS::DynamoDB::Table', 'AWS::SQS::Queue', 'AWS::Logs::LogGroup']) {
      for (const resource of Object.values(consumers.findResources(type)))
        expect(resource['DeletionPolicy']).toBe('Retain');
    }
  });
});
