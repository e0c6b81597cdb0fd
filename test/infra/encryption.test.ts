import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { expect, test } from 'vitest';
import { AlarmTopic } from '../../infra/constructs/alarm-topic.ts';
import { LockstepConsumer } from '../../infra/constructs/lockstep-consumer.ts';
import { stageConfig } from '../../infra/stage-config.ts';
import { addStageStacks } from '../../infra/stage-stacks.ts';
import { LEAST, synth } from './synth.ts';

type Properties = Readonly<Record<string, unknown>>;

/** Where a resource that keeps data says under which key; one that is not here keeps none. */
const KEY_OF: Readonly<Record<string, (properties: Properties) => unknown>> = {
  'AWS::DynamoDB::Table': (of) => part(of['SSESpecification'])['KMSMasterKeyId'],
  'AWS::Lambda::Function': (of) => of['KmsKeyArn'],
  'AWS::Lambda::EventSourceMapping': (of) => (of['FilterCriteria'] === undefined ? KEPT_NOTHING : of['KmsKeyArn']),
  'AWS::Logs::LogGroup': (of) => of['KmsKeyId'],
  'AWS::MSK::Cluster': (of) => part(part(of['EncryptionInfo'])['EncryptionAtRest'])['DataVolumeKMSKeyId'],
  'AWS::SNS::Topic': (of) => of['KmsMasterKeyId'],
  'AWS::SQS::Queue': (of) => of['KmsMasterKeyId'],
};
const KEPT_NOTHING = Symbol('keeps nothing');
/** They keep no data: names, rights, rules and networks. A topic is encrypted with its cluster. */
const WITHOUT_DATA =
  /^AWS::(CDK::|CloudFormation::Stack|CloudWatch::|EC2::|Events::|IAM::|KMS::|Lambda::(Alias|Permission)|MSK::(Configuration|Topic)|SNS::(Subscription|TopicPolicy)|SQS::QueuePolicy)/;

/** What of a template keeps data, by its key. */
function keysOf(template: Template): Map<string, unknown> {
  const resources: Record<string, { readonly Type: string; readonly Properties?: Properties }> =
    template.toJSON()['Resources'];
  return new Map(
    Object.entries(resources).flatMap(([id, { Type, Properties = {} }]) => {
      if (WITHOUT_DATA.test(Type)) return [];
      const key = KEY_OF[Type] === undefined ? `nobody has said where ${Type} names its key` : KEY_OF[Type](Properties);
      return key === KEPT_NOTHING ? [] : [[`${Type} ${id}`, key]];
    }),
  );
}

function part(value: unknown): Properties {
  return (value ?? {}) as Properties;
}

/** A consumer with everything that keeps something. */
function everything(): Template {
  return synth((stack) => {
    const encryptionKey = new Key(stack, 'Key');
    new LockstepConsumer(stack, 'Orders', {
      ...LEAST,
      operations: true,
      onFailureDestination: { retryAttempts: 100 },
      filters: [{ value: { customer: ['alice'] } }],
      encryptionKey,
      alarms: { page: new AlarmTopic(stack, 'Alarms', { encryptionKey }) },
    });
  });
}

test('one property puts everything that a consumer keeps under a key of the user', () => {
  const keys = keysOf(everything());
  const key = { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] };
  expect([...keys.keys()].map((name) => name.split(' ')[0]).sort()).toEqual([
    'AWS::DynamoDB::Table',
    'AWS::Lambda::EventSourceMapping',
    'AWS::Lambda::Function',
    'AWS::Lambda::Function',
    'AWS::Lambda::Function',
    'AWS::Logs::LogGroup',
    'AWS::Logs::LogGroup',
    'AWS::Logs::LogGroup',
    'AWS::SNS::Topic',
    'AWS::SQS::Queue',
    'AWS::SQS::Queue',
  ]);
  for (const [name, found] of keys) expect([name, found]).toEqual([name, key]);
});

const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666';

test.each(['example', 'cluster'])('-c encryptionKeyArn puts the whole stage %s under that key', (stage) => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const context = {
    stage,
    clusterArn: undefined,
    creditCheckUrl: undefined,
    region: undefined,
    alarmEmail: 'a@example.com',
    encryptionKeyArn: KEY_ARN,
  };
  addStageStacks(app, stageConfig(context));
  const stacks = app.node.children.filter((child) => child instanceof Stack);
  const keys = stacks.flatMap((stack) => [...keysOf(Template.fromStack(stack))]);
  expect(keys.length).toBeGreaterThan(30);
  expect(keys.filter(([, key]) => key !== KEY_ARN)).toEqual([]);
});

test('what is no ARN of a key is refused by name', () => {
  const context = {
    stage: 'example',
    clusterArn: undefined,
    creditCheckUrl: undefined,
    region: undefined,
    alarmEmail: undefined,
    encryptionKeyArn: 'alias/mine',
  };
  expect(() => stageConfig(context)).toThrow('encryptionKeyArn: expected arn:aws:kms:<region>:<account>:key/<id>');
});
