import { RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { expect, test } from 'vitest';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { CLUSTER, LEAST, only, synth, synthConsumer } from '../synth.ts';

test('feeds the function from the topic, in a group of its own, and gives up nothing', () => {
  expect(only(synthConsumer(), 'AWS::Lambda::EventSourceMapping')).toEqual({
    EventSourceArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
    FunctionName: { Ref: expect.stringMatching(/^OrdersHandlerFunction/) },
    Topics: ['orders'],
    AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'Shop-Orders' },
    StartingPosition: 'TRIM_HORIZON',
    BatchSize: 100,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    MaximumRetryAttempts: -1,
    MaximumRecordAgeInSeconds: -1,
    BisectBatchOnFunctionError: false,
    ProvisionedPollerConfig: { MinimumPollers: 1, MaximumPollers: 10, PollerGroupName: 'Shop' },
    MetricsConfig: { Metrics: ['EventCount', 'ErrorCount', 'KafkaMetrics'] },
  });
});

test('makes the mapping only after the rights and the dead-letter topic', () => {
  const [mapping] = Object.values(synthConsumer().findResources('AWS::Lambda::EventSourceMapping'));
  expect(mapping?.['DependsOn']).toEqual([
    expect.stringMatching(/^OrdersDeadLetterTopic/),
    expect.stringMatching(/^OrdersHandlerRole/),
  ]);
});

test('makes the mapping after the relay, too, so that nothing is read before all is there', () => {
  const template = synthConsumer({ operations: true });
  const kafka = Object.entries(template.findResources('AWS::Lambda::EventSourceMapping'));
  const [, mapping] = kafka.find(([id]) => id.startsWith('OrdersEventSource')) ?? [];
  const [relay] = Object.keys(template.findResources('AWS::Lambda::Function')).filter((id) => id.includes('Relay'));
  expect(mapping?.['DependsOn']).toContain(relay);
});

test('makes another mapping for another topic, as Lambda keeps the old topic in a mapping that is updated', () => {
  const mappings = ['orders', 'invoices'].map((topic) =>
    Object.keys(synthConsumer({ topic }).findResources('AWS::Lambda::EventSourceMapping')),
  );
  expect(new Set(mappings.flat()).size).toBe(2);
});

test('makes no topic on MSK Serverless, where CloudFormation cannot', () => {
  synthConsumer().resourceCountIs('AWS::MSK::Topic', 1);
  synthConsumer({ cluster: { ...CLUSTER, kind: 'serverless' } }).resourceCountIs('AWS::MSK::Topic', 0);
});

test('keeps its logs for a month, or as long as is asked', () => {
  expect(only(synthConsumer(), 'AWS::Logs::LogGroup')).toMatchObject({ RetentionInDays: 30 });
  const logRetention = RetentionDays.ONE_WEEK;
  expect(only(synthConsumer({ logRetention }), 'AWS::Logs::LogGroup')).toMatchObject({ RetentionInDays: 7 });
});

test('tells the function where ledger, letters and brokers are', () => {
  expect(only(synthConsumer({ environment: { CURRENCY: 'EUR' } }), 'AWS::Lambda::Function')).toMatchObject({
    Runtime: 'nodejs24.x',
    Architectures: ['arm64'],
    Handler: 'index.handler',
    Timeout: 60,
    MemorySize: 512,
    VpcConfig: { SubnetIds: ['subnet-01234567', 'subnet-89abcdef'], SecurityGroupIds: ['sg-0123456789abcdef0'] },
    Environment: {
      Variables: {
        LOCKSTEP_LEDGER_TABLE: { Ref: expect.stringMatching(/^LockstepLedger/) },
        LOCKSTEP_CONSUMER_GROUP: 'Shop-Orders',
        LOCKSTEP_DEAD_LETTER_TOPIC: 'Shop-Orders-dead-letters',
        LOCKSTEP_FALLBACK_QUEUE_URL: { Ref: expect.stringMatching(/^OrdersFallbackQueue/) },
        LOCKSTEP_KAFKA_AUTH: 'iam',
        LOCKSTEP_VALUES_DECODED_BY_MAPPING: 'false',
        LOCKSTEP_FAILURE_MODE: 'report',
        POWERTOOLS_METRICS_NAMESPACE: 'Lockstep',
        POWERTOOLS_SERVICE_NAME: 'Orders',
        LOCKSTEP_STACK: 'Shop',
        NODE_OPTIONS: '--enable-source-maps',
        CURRENCY: 'EUR',
      },
    },
  });
});

test('keeps progress in a protected table that pays by request and can be restored', () => {
  const template = synthConsumer();
  template.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  expect(only(template, 'AWS::DynamoDB::Table')).toMatchObject({
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    BillingMode: 'PAY_PER_REQUEST',
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    DeletionProtectionEnabled: true,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
});

test('makes a dead-letter topic with larger records than the source and keeps it when the stack goes', () => {
  const template = synthConsumer({
    topic: { topicName: 'orders', partitions: 12 },
    removalPolicy: RemovalPolicy.DESTROY,
  });
  // A deployment that fails would otherwise leave a topic that the next one cannot make.
  template.hasResource('AWS::MSK::Topic', { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  const { Configs: configs, ...topic } = only(template, 'AWS::MSK::Topic');
  expect(topic).toEqual({
    ClusterArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
    TopicName: 'Shop-Orders-dead-letters',
    PartitionCount: 12,
    ReplicationFactor: 3,
  });
  expect(Buffer.from(String(configs), 'base64').toString().split('\n')).toEqual([
    'cleanup.policy=delete',
    'max.message.bytes=1114124',
    'message.timestamp.type=LogAppendTime',
    'min.insync.replicas=2',
    'retention.ms=2592000000',
  ]);
});

test('sets nothing on a topic of Express brokers that is read-only there', () => {
  const { Configs: configs } = only(synthConsumer({ cluster: { ...CLUSTER, kind: 'express' } }), 'AWS::MSK::Topic');
  const text = Buffer.from(String(configs), 'base64').toString();
  expect(text).toContain('message.timestamp.type=LogAppendTime');
  expect(text).not.toContain('min.insync.replicas');
});

test('makes no topic where topics are made elsewhere, and still says which one it needs', () => {
  const template = synthConsumer({
    cluster: { clusterArn: CLUSTER.clusterArn, auth: 'none', topics: 'elsewhere' },
    topic: { topicName: 'orders', partitions: 3 },
  });
  template.resourceCountIs('AWS::MSK::Topic', 0);
  template.hasResource('AWS::Lambda::EventSourceMapping', {
    Metadata: {
      Lockstep: {
        consumerName: 'Orders',
        consumerGroup: 'Shop-Orders',
        topic: { topicName: 'orders', partitions: 3, maxRecordBytes: 1048588 },
        deadLetterTopic: { topicName: 'Shop-Orders-dead-letters', partitions: 3, maxRecordBytes: 1114124 },
      },
    },
  });
  expect(only(template, 'AWS::Lambda::Function')).not.toHaveProperty('VpcConfig');
});

test('keeps what the topic refuses in an encrypted queue, TLS only, for 14 days', () => {
  const template = synthConsumer();
  expect(only(template, 'AWS::SQS::Queue')).toEqual({
    MessageRetentionPeriod: 1209600,
    SqsManagedSseEnabled: true,
    VisibilityTimeout: 360,
  });
  template.hasResourceProperties('AWS::SQS::QueuePolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        {
          Effect: 'Deny',
          Action: 'sqs:*',
          Principal: { AWS: '*' },
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          Resource: Match.anyValue(),
        },
      ]),
    },
  });
});

test('lets several consumers of a stack share one ledger and one poller group', () => {
  const template = synth((stack) => {
    new LockstepConsumer(stack, 'Orders', LEAST);
    new LockstepConsumer(stack, 'Payments', { ...LEAST, topic: 'payments' });
  });
  template.resourceCountIs('AWS::DynamoDB::Table', 1);
  template.allResourcesProperties('AWS::Lambda::EventSourceMapping', {
    ProvisionedPollerConfig: { PollerGroupName: 'Shop' },
  });
});

test('says where everything is in one output without a hash', () => {
  const { OrdersLockstepConsumer: output, ...others } = synthConsumer({ operations: true }).findOutputs('*');
  expect(others).toEqual({});
  const text: unknown[] = output?.['Value']['Fn::Join'][1];
  const facts = JSON.parse(text.map((part) => (typeof part === 'string' ? part : '…')).join(''));
  expect(facts).toEqual({
    FunctionName: '…',
    MappingId: '…',
    Topic: 'orders',
    ConsumerGroup: 'Shop-Orders',
    DeadLetterTopic: 'Shop-Orders-dead-letters',
    FallbackQueueUrl: '…',
    LedgerTable: '…',
    ClusterId: 'uuid-1',
    RelayFunctionName: '…',
    OperatorFunctionName: '…',
    AlarmPrefix: 'Shop-Orders-',
  });
});
