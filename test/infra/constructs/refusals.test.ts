import { readFileSync } from 'node:fs';
import { App, Duration, type Environment, Stack } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  Code,
  EventRecordFormat,
  KafkaSchemaValidationAttribute,
  Function as LambdaFunction,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { GlueSchemaRegistry } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { describe, expect, test } from 'vitest';
import type { LockstepConsumerProps } from '../../../infra/constructs/consumer-props.ts';
import { HANDLER_REFUSALS } from '../../../infra/constructs/handler-refusals.ts';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { REFUSALS } from '../../../infra/constructs/refusals.ts';
import { SHARING_REFUSALS } from '../../../infra/constructs/refuse.ts';
import { CLUSTER, LEAST, synthConsumer } from '../synth.ts';

const registry = new GlueSchemaRegistry({
  schemaRegistryArn: 'arn:aws:glue:eu-central-1:111122223333:registry/orders',
  eventRecordFormat: EventRecordFormat.JSON,
  schemaValidationConfigs: [{ attribute: KafkaSchemaValidationAttribute.VALUE }],
});

const failureQueue = { retryAttempts: 100 };

function scram(secretName: string): LockstepConsumerProps['cluster'] {
  const stack = new Stack();
  const secret = Secret.fromSecretCompleteArn(
    stack,
    'Secret',
    `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${secretName}-AbCdEf`,
  );
  const encryptionKey = Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-central-1:111122223333:key/k-1');
  return { ...CLUSTER, auth: { type: 'scram', secret, encryptionKey } };
}

const elsewhere = new Stack();
const FUNCTION = {
  runtime: Runtime.NODEJS_24_X,
  handler: 'index.handler',
  code: Code.fromInline('exports.handler = () => {}'),
  timeout: Duration.seconds(60),
};
const OUTSIDE = new LambdaFunction(elsewhere, 'Outside', FUNCTION);
const vpc = Vpc.fromVpcAttributes(elsewhere, 'Vpc', {
  vpcId: CLUSTER.vpcId,
  availabilityZones: ['eu-central-1a'],
  privateSubnetIds: [CLUSTER.subnetIds[0]],
});
const INSIDE = new LambdaFunction(elsewhere, 'Inside', { ...FUNCTION, vpc });
const STILL = new LambdaFunction(elsewhere, 'Still', { ...FUNCTION, vpc, reservedConcurrentExecutions: 0 });
const { timeout: _timeout, ...WITHOUT_TIMEOUT } = FUNCTION;
const HASTY = new LambdaFunction(elsewhere, 'Hasty', { ...WITHOUT_TIMEOUT, vpc });
const IMPORTED_FUNCTION = LambdaFunction.fromFunctionName(elsewhere, 'Theirs', 'theirs');
const UNFIT = new Table(elsewhere, 'Unfit', { partitionKey: { name: 'id', type: AttributeType.STRING } });

const ANYWHERE = {
  clusterId: 'lkc-1',
  bootstrapServers: 'kafka-1:9092',
  auth: { type: 'plain', secret: Secret.fromSecretNameV2(elsewhere, 'Anywhere', 'kafka') },
} as const satisfies LockstepConsumerProps['cluster'];

const { vpcId: _, ...NOWHERE } = CLUSTER;
const NO_GROUPS = { ...CLUSTER, securityGroupIds: [] };
const CONNECTION = 'arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/main/conn-9';

/** What JavaScript, a cast or the context lets through. */
function wrong(props: Readonly<Record<string, unknown>>): Partial<LockstepConsumerProps> {
  return props as Partial<LockstepConsumerProps>;
}

/** Code, the property that the error names, what is refused, and a part of what the error says. */
const REFUSED: readonly (readonly [string, string, Partial<LockstepConsumerProps>, string])[] = [
  [
    'LOCKSTEP_PARTIAL_ANSWERS_ON_DEMAND',
    'failureMode',
    { mode: 'on-demand', failureMode: 'report' },
    "set `failureMode: 'throw'`",
  ],
  [
    'LOCKSTEP_MAPPING_LOGS_ON_DEMAND',
    'mappingLogLevel',
    { mode: 'on-demand', mappingLogLevel: 'WARN' },
    'needs a provisioned mapping',
  ],
  [
    'LOCKSTEP_REGISTRY_ON_DEMAND',
    'schemaRegistry',
    { mode: 'on-demand', schemaRegistry: registry },
    'needs a provisioned mapping',
  ],
  [
    'LOCKSTEP_REGISTRY_WITHOUT_FAILURE_DESTINATION',
    'onFailureDestination',
    { schemaRegistry: registry },
    'Lambda drops every value that the registry cannot decode',
  ],
  [
    'LOCKSTEP_FAILURE_DESTINATION_ON_DEMAND',
    'onFailureDestination',
    { mode: 'on-demand', onFailureDestination: failureQueue },
    'Drop `onFailureDestination`',
  ],
  [
    'LOCKSTEP_FAILURE_DESTINATION_WITH_INFINITE_ATTEMPTS',
    'onFailureDestination',
    { onFailureDestination: failureQueue, retry: { maxAttempts: Number.POSITIVE_INFINITY } },
    'take blocked records away after 100 retries',
  ],
  [
    'LOCKSTEP_FAILURE_DESTINATION_TOO_EAGER',
    'onFailureDestination.retryAttempts',
    { onFailureDestination: { retryAttempts: 40 } },
    'more than 40 retries',
  ],
  [
    'LOCKSTEP_FAILURE_DESTINATION_TOO_EAGER',
    'onFailureDestination.retryAttempts',
    { onFailureDestination: { retryAttempts: 10_001 } },
    'at most 10,000, got `10001`',
  ],
  [
    'LOCKSTEP_FAILURE_DESTINATION_TOO_EAGER',
    'onFailureDestination.retryAttempts',
    { onFailureDestination: { retryAttempts: -1 } },
    'got `-1`',
  ],
  [
    'LOCKSTEP_DEAD_LETTER_TOPIC_IS_SOURCE',
    'deadLetterTopic',
    { deadLetterTopic: { topicName: 'orders' } },
    '`orders` is also the source topic',
  ],
  [
    'LOCKSTEP_DEAD_LETTER_TOPIC_TOO_SMALL',
    'deadLetterTopic.maxRecordBytes',
    { deadLetterTopic: { topicName: 'orders-dlt', maxRecordBytes: 1_048_588 } },
    '`orders-dlt` takes records of 1048588 bytes, but dead letters of `orders` need 1114124',
  ],
  ['LOCKSTEP_TOPIC_NAME_INVALID', 'topic', { topic: 'orders*' }, '`orders*` is not a valid name of a Kafka topic'],
  ['LOCKSTEP_TOPIC_NAME_INVALID', 'topic', { producesTo: ['*'] }, '`*` is not a valid name of a Kafka topic'],
  [
    'LOCKSTEP_GROUP_HIDES_LAG',
    'consumerGroup',
    { consumerGroup: 'shop:orders' },
    'no lag metrics for the group `shop:orders`',
  ],
  ['LOCKSTEP_GROUP_HIDES_LAG', 'consumerGroup', { consumerGroup: 'bestellungen-ü' }, 'non-ASCII'],
  [
    'LOCKSTEP_NAME_WIDENS_GRANT',
    'consumerGroup',
    { consumerGroup: 'orders*' },
    '`orders*` has characters with another meaning',
  ],
  ['LOCKSTEP_NAME_WIDENS_GRANT', 'consumerGroup', { keyNamespaces: ['a#b'] }, '`a#b`'],
  [
    'LOCKSTEP_CONSUMER_NAME_INVALID',
    'consumerName',
    { consumerName: '注文' },
    '`注文` is no name under which CloudWatch',
  ],
  ['LOCKSTEP_CONSUMER_NAME_INVALID', 'consumerName', { consumerName: '--' }, '`--`'],
  ['LOCKSTEP_CONSUMER_NAME_INVALID', 'consumerName', { consumerName: 'a`$(reboot)`' }, 'reboot'],
  ['LOCKSTEP_TIMEOUT_OVER_14_MINUTES', 'timeout', { timeout: Duration.seconds(841) }, '841 s is more than the 840 s'],
  [
    'LOCKSTEP_TIMEOUT_TOO_SHORT',
    'timeout',
    { timeout: Duration.seconds(14) },
    '14 s leave no time for a lease of 15 s',
  ],
  ['LOCKSTEP_BATCH_SIZE_OUT_OF_RANGE', 'batchSize', { batchSize: 10_001 }, 'got `10001`'],
  ['LOCKSTEP_BATCH_SIZE_OUT_OF_RANGE', 'batchSize', { batchSize: 0 }, 'got `0`'],
  ['LOCKSTEP_WINDOW_OUT_OF_RANGE', 'batchingWindow', { batchingWindow: Duration.millis(500) }, 'got `500` ms'],
  ['LOCKSTEP_WINDOW_OUT_OF_RANGE', 'batchingWindow', { batchingWindow: Duration.seconds(301) }, 'got `301000` ms'],
  ['LOCKSTEP_POLLERS_OUT_OF_RANGE', 'pollers', { pollers: { minimum: 5, maximum: 4 } }, 'got `5` and `4`'],
  [
    'LOCKSTEP_POLLERS_ABOVE_PARTITIONS',
    'pollers.maximum',
    { topic: { topicName: 'orders', partitions: 3 }, pollers: { maximum: 4 } },
    '4 pollers cannot share the 3 partitions of `orders`',
  ],
  ['LOCKSTEP_START_LOSES_RECORDS', 'startFrom', { startFrom: 'LATEST' }, 'startFrom: new Date('],
  [
    'LOCKSTEP_RESERVED_CONCURRENCY_ZERO',
    'functionProps.reservedConcurrentExecutions',
    { functionProps: { reservedConcurrentExecutions: 0 } },
    '`lockstep pause`',
  ],
  [
    'LOCKSTEP_ENVIRONMENT_RESERVED',
    'environment',
    { environment: { LOCKSTEP_LEDGER_TABLE: 'other', NODE_OPTIONS: '' } },
    '`LOCKSTEP_LEDGER_TABLE`, `NODE_OPTIONS` would override',
  ],
  ['LOCKSTEP_FUNCTION_OUTSIDE_VPC', 'cluster', { cluster: NOWHERE }, 'no record could ever be dead-lettered'],
  ['LOCKSTEP_FUNCTION_OUTSIDE_VPC', 'cluster', { cluster: NO_GROUPS }, 'cannot reach the brokers'],
  [
    'LOCKSTEP_CLUSTER_ARN_INVALID',
    'cluster.clusterArn',
    { cluster: { ...CLUSTER, clusterArn: CONNECTION } },
    'is not the ARN of an MSK cluster',
  ],
  [
    'LOCKSTEP_CLUSTER_ARN_INVALID',
    'cluster.clusterArn',
    { cluster: { ...CLUSTER, clusterArn: 'arn:aws:sqs:eu-central-1:111122223333:cluster/main/uuid-1' } },
    'is not the ARN of an MSK cluster',
  ],
  [
    'LOCKSTEP_CLUSTER_ARN_INVALID',
    'cluster.clusterArn',
    { cluster: { ...CLUSTER, clusterArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main' } },
    'is not the ARN of an MSK cluster',
  ],
  [
    'LOCKSTEP_CLUSTER_ARN_INVALID',
    'cluster.clusterArn',
    { cluster: { ...CLUSTER, clusterArn: 'arn:aws:kafka:eu-central-1:111122223333:topic/main/uuid-1' } },
    'is not the ARN of an MSK cluster',
  ],
  [
    'LOCKSTEP_SERVERLESS_WITHOUT_IAM',
    'cluster.auth',
    { cluster: { ...CLUSTER, kind: 'serverless', auth: 'tls' } },
    "Set `auth: 'iam'`",
  ],
  [
    'LOCKSTEP_SERVERLESS_OF_ANOTHER_ACCOUNT',
    'cluster.vpcConnectionArn',
    { cluster: { ...CLUSTER, kind: 'serverless', vpcConnectionArn: CONNECTION } },
    'use a provisioned cluster',
  ],
  ['LOCKSTEP_SCRAM_SECRET_NAME', 'cluster.auth.secret', { cluster: scram('orders') }, 'got `orders`'],
  [
    'LOCKSTEP_FUNCTION_IMPORTED',
    'function',
    wrong({ entry: undefined, function: IMPORTED_FUNCTION }),
    'its environment cannot be set',
  ],
  ['LOCKSTEP_FUNCTION_HAS_ITS_OWN', 'function', { function: INSIDE }, 'with it `entry` would have no effect'],
  ['LOCKSTEP_FUNCTION_ELSEWHERE', 'function', wrong({ entry: undefined, function: OUTSIDE }), 'is in no VPC'],
  ['LOCKSTEP_TIMEOUT_TOO_SHORT', 'timeout', wrong({ entry: undefined, function: HASTY }), '3 s leave no time'],
  [
    'LOCKSTEP_RESERVED_CONCURRENCY_ZERO',
    'functionProps.reservedConcurrentExecutions',
    wrong({ entry: undefined, function: STILL }),
    'never runs',
  ],
  ['LOCKSTEP_LEDGER_UNFIT', 'ledger', { ledger: { table: UNFIT } }, 'its key is id'],
  ['LOCKSTEP_ENTRY_MISSING', 'entry', wrong({ entry: undefined }), '`undefined` does not exist'],
  ['LOCKSTEP_ENTRY_MISSING', 'entry', { entry: 'functions/nowhere.ts' }, '`functions/nowhere.ts` does not exist'],
  [
    'LOCKSTEP_PARK_WITH_REGISTRY',
    'retry.onExhausted',
    { operations: true, retry: { onExhausted: 'park' }, schemaRegistry: registry, onFailureDestination: failureQueue },
    'a released record would reach the handler undecoded',
  ],
  [
    'LOCKSTEP_PARK_WITHOUT_OPERATIONS',
    'operations',
    { retry: { onExhausted: 'park' }, operations: false },
    'only the operator function can release parked keys',
  ],
  [
    'LOCKSTEP_RELEASE_WITHOUT_PARK',
    'retry.release',
    { retry: { release: { every: Duration.minutes(5) } } },
    'no key is ever parked',
  ],
  [
    'LOCKSTEP_RELEASE_OUT_OF_RANGE',
    'retry.release',
    { operations: true, retry: { onExhausted: 'park', release: { every: Duration.seconds(30) } } },
    'got every 30000 ms, 10 times',
  ],
  ['LOCKSTEP_CLUSTER_MISSING', 'cluster', wrong({ cluster: undefined }), 'expected an object, got `undefined`'],
  ['LOCKSTEP_CLUSTER_MISSING', 'cluster', wrong({ cluster: 'main' }), 'expected an object, got `main`'],
  [
    'LOCKSTEP_NETWORK_NOT_A_LIST',
    'cluster.subnetIds',
    wrong({ cluster: { ...CLUSTER, subnetIds: 'subnet-01234567' } }),
    'expected `subnetIds` to be a list, got a string',
  ],
  [
    'LOCKSTEP_NETWORK_NOT_A_LIST',
    'cluster.subnetIds',
    wrong({ cluster: { ...CLUSTER, securityGroupIds: 'sg-0123456789abcdef0' } }),
    'expected `securityGroupIds` to be a list, got a string',
  ],
  ['LOCKSTEP_AUTH_UNKNOWN', 'cluster.auth', wrong({ cluster: { ...CLUSTER, auth: undefined } }), 'got `undefined`'],
  ['LOCKSTEP_AUTH_UNKNOWN', 'cluster.auth', wrong({ cluster: { ...CLUSTER, auth: 'IAM' } }), 'got `"IAM"`'],
  [
    'LOCKSTEP_AUTH_UNKNOWN',
    'cluster.auth',
    wrong({ cluster: { ...CLUSTER, auth: { type: 'plain' } } }),
    'got `"plain"`',
  ],
  [
    'LOCKSTEP_AUTH_UNKNOWN',
    'cluster.auth',
    wrong({ cluster: { ...ANYWHERE, auth: 'iam' } }),
    'expected one that Lambda takes for a self-managed cluster, got `"iam"`',
  ],
  [
    'LOCKSTEP_AUTH_WITHOUT_SECRET',
    'cluster.auth.secret',
    wrong({ cluster: { ...ANYWHERE, auth: { type: 'plain' } } }),
    'there is none',
  ],
  ['LOCKSTEP_CLUSTER_ID_INVALID', 'cluster.clusterId', { cluster: { ...ANYWHERE, clusterId: 'a#b' } }, '`a#b` has'],
  [
    'LOCKSTEP_CLUSTER_ID_INVALID',
    'cluster.clusterId',
    wrong({ cluster: { ...ANYWHERE, clusterArn: CLUSTER.clusterArn } }),
    'there is a `clusterArn`, too',
  ],
  [
    'LOCKSTEP_BROKERS_INVALID',
    'cluster.bootstrapServers',
    { cluster: { ...ANYWHERE, bootstrapServers: 'kafka-1:9092,kafka-2' } },
    '`kafka-2` is not `host:port`',
  ],
  [
    'LOCKSTEP_BROKERS_INVALID',
    'cluster.bootstrapServers',
    wrong({ cluster: { ...ANYWHERE, bootstrapServers: undefined } }),
    '`undefined` is not `host:port`',
  ],
  [
    'LOCKSTEP_FUNCTION_OUTSIDE_VPC',
    'cluster',
    { cluster: { ...ANYWHERE, vpcId: 'vpc-01234567' } },
    'cannot reach the brokers',
  ],
  ...['tenancyConfig', 'durableConfig', 'capacityProviderConfig'].map(
    (name) =>
      [
        'LOCKSTEP_FUNCTION_PROPS_IMPOSSIBLE',
        'functionProps',
        wrong({ functionProps: { [name]: {} } }),
        `cannot work with \`${name}\``,
      ] as const,
  ),
];

/** Refused where the stack says where it is. */
const REFUSED_ELSEWHERE = ['LOCKSTEP_CLUSTER_OF_ANOTHER_ACCOUNT', 'LOCKSTEP_CLUSTER_OF_ANOTHER_REGION'];

describe('at synth', () => {
  test.each(REFUSED)('%s names `%s` (%#)', (code, property, props, part) => {
    expect(() => synthConsumer(props)).toThrow(
      expect.objectContaining({
        name: code,
        message: expect.stringMatching(
          new RegExp(`^${code} at Shop/Orders: \`${property.replaceAll('.', '\\.')}\`: .+\\.$`, 's'),
        ),
      }),
    );
    expect(() => synthConsumer(props)).toThrow(part);
  });

  test('says what, why and what to do', () => {
    expect(() =>
      synthConsumer({ retry: { maxAttempts: Number.POSITIVE_INFINITY }, onFailureDestination: { retryAttempts: 100 } }),
    ).toThrow(
      'LOCKSTEP_FAILURE_DESTINATION_WITH_INFINITE_ATTEMPTS at Shop/Orders: `onFailureDestination`: Lambda would take blocked records away after 100 retries, but ' +
        '`maxAttempts: Infinity` promises that a blocked record is never given up. Drop `onFailureDestination`, or set `maxAttempts` to a number.',
    );
  });

  test('names everything that is wrong at once', () => {
    expect(() => synthConsumer({ batchSize: 0, timeout: Duration.seconds(1) })).toThrow(
      /^LOCKSTEP_BATCH_SIZE_OUT_OF_RANGE at .+\nLOCKSTEP_TIMEOUT_TOO_SHORT at .+$/,
    );
  });

  test('every refusal is provoked above', () => {
    const provoked = new Set([...REFUSED.map(([code]) => code), ...REFUSED_ELSEWHERE]);
    expect([...provoked].toSorted()).toEqual(Object.keys(REFUSALS).toSorted());
  });

  test.each<[string, Partial<LockstepConsumerProps>]>([
    [
      'a failure destination with more retries than the handler has attempts',
      { onFailureDestination: { retryAttempts: 41 } },
    ],
    ['a schema registry with a failure destination', { schemaRegistry: registry, onFailureDestination: failureQueue }],
    ['on-demand mode that throws', { mode: 'on-demand' }],
    ['MSK Serverless with IAM', { cluster: { ...CLUSTER, kind: 'serverless' } }],
    ['the longest timeout', { timeout: Duration.minutes(14) }],
    ['the shortest timeout', { timeout: Duration.seconds(15) }],
    ['no window at all', { batchingWindow: Duration.seconds(0) }],
    ['a secret that MSK can associate', { cluster: scram('AmazonMSK_orders') }],
    ['plaintext on loopback', { cluster: { clusterArn: CLUSTER.clusterArn, auth: 'none', topics: 'elsewhere' } }],
    ['infinite attempts without a failure destination', { retry: { maxAttempts: Number.POSITIVE_INFINITY } }],
  ])('accepts %s', (_, props) => {
    expect(() => synthConsumer(props)).not.toThrow();
  });
});

describe('a cluster that is not where the stack is', () => {
  const deployed = (env: Environment, cluster: LockstepConsumerProps['cluster'] = CLUSTER) => {
    const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Shop', { env });
    return () => new LockstepConsumer(stack, 'Orders', { ...LEAST, cluster });
  };

  test('may not be in another region', () => {
    expect(deployed({ region: 'us-east-1' })).toThrow(
      'LOCKSTEP_CLUSTER_OF_ANOTHER_REGION at Shop/Orders: `cluster.clusterArn`: the cluster is in eu-central-1, the stack in us-east-1. Deploy the stack into the region of the cluster: `env: { region }`.',
    );
  });

  test('may be in another account only over a connection', () => {
    const there = { region: 'eu-central-1', account: '999999999999' };
    expect(deployed(there)).toThrow(
      'LOCKSTEP_CLUSTER_OF_ANOTHER_ACCOUNT at Shop/Orders: `cluster.vpcConnectionArn`: the cluster is in account 111122223333, the stack in 999999999999, and there is no connection between them. Create a managed VPC connection to the cluster, and set `vpcConnectionArn` to it.',
    );
    expect(deployed(there, { ...CLUSTER, vpcConnectionArn: CONNECTION })).not.toThrow();
  });

  test('is accepted where it is in the same account and region, or where the stack does not say', () => {
    expect(deployed({ region: 'eu-central-1', account: '111122223333' })).not.toThrow();
    expect(deployed({})).not.toThrow();
  });
});

describe('consumers of one app', () => {
  function pair(second: Partial<LockstepConsumerProps>): () => void {
    return () => {
      const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Shop');
      new LockstepConsumer(stack, 'Orders', LEAST);
      new LockstepConsumer(stack, 'Audit', { ...LEAST, ...second });
    };
  }

  test('may not share a group', () => {
    expect(pair({ consumerGroup: 'Shop-Orders', topic: 'payments' })).toThrow(
      'LOCKSTEP_GROUP_SHARED at Shop/Audit: `consumerGroup`: the group `Shop-Orders` is also that of Shop/Orders. Give each consumer its own group.',
    );
  });

  test('may not both make one dead-letter topic', () => {
    // Kafka takes no `/` in the name of a topic.
    expect(pair({ consumerGroup: 'Shop/Orders' })).toThrow('LOCKSTEP_DEAD_LETTER_TOPIC_MADE_TWICE at Shop/Audit: ');
  });

  test('may read one topic, each with a dead-letter topic of its own or sharing one', () => {
    expect(pair({})).not.toThrow();
    expect(pair({ deadLetterTopic: { topicName: 'Shop-Orders-dead-letters' } })).not.toThrow();
  });

  test('may not have one name in one stack, as outputs and metrics tell names apart', () => {
    expect(pair({ topic: 'payments', consumerName: 'Or-ders' })).toThrow(
      'LOCKSTEP_CONSUMER_NAME_SHARED at Shop/Audit: `consumerName`: the name `Or-ders` is also that of Shop/Orders. Give each consumer of the stack a `consumerName` of its own.',
    );
  });

  test('may not have more pollers together than a poller group has', () => {
    const many = { topic: { topicName: 'payments', partitions: 2_000 }, pollers: { minimum: 200, maximum: 1_995 } };
    expect(pair(many)).toThrow(
      'LOCKSTEP_POLLER_GROUP_FULL at Shop/Audit: `pollers.maximum`: the group `Shop` would have 2 mappings with 2005 pollers, and may have 100 with 2,000.',
    );
    expect(pair({ ...many, pollers: { ...many.pollers, maximum: 1_990 } })).not.toThrow();
    expect(pair({ ...many, pollers: { ...many.pollers, group: 'audit' } })).not.toThrow();
  });

  test('may use one group on two clusters', () => {
    const cluster = { ...CLUSTER, clusterArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/other/uuid-2' };
    expect(pair({ cluster, consumerGroup: 'Shop-Orders' })).not.toThrow();
  });
});

test('the table of refusals is in docs/deploying.md as it is in the code', () => {
  const docs = readFileSync('docs/deploying.md', 'utf8');
  const rows = Object.entries({ ...REFUSALS, ...SHARING_REFUSALS, ...HANDLER_REFUSALS }).map(
    ([code, { property, because, fix }]) => `| \`${code}\` | \`${property}\` | ${because} | ${fix}. |`,
  );
  expect(docs.split('\n').filter((line) => line.startsWith('| `LOCKSTEP_'))).toEqual(rows);
});
