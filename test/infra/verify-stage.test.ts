import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { stageConfig } from '../../infra/stage-config.ts';
import { addStageStacks } from '../../infra/stage-stacks.ts';
import { grantLines } from './grant-lines.ts';

const CLUSTER = {
  clusterArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/11111111-2222-3333-4444-555555555555-1',
  vpcId: 'vpc-0123456789abcdef0',
  subnetIds: ['subnet-0123456789abcdef0'],
  securityGroupIds: ['sg-0123456789abcdef0'],
  auth: 'iam',
};
const NOTHING = { clusterArn: undefined, creditCheckUrl: undefined, region: undefined, alarmEmail: undefined };

test('stage verify is one stack on the cluster of cdk.json, of which nothing stays when it is destroyed', () => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  addStageStacks(app, stageConfig({ ...NOTHING, stage: 'verify', cluster: CLUSTER }));

  const [stack, ...others] = app.synth().stacks;
  expect([stack?.stackName, others]).toEqual(['Lockstep-Verify', []]);
  const resources = Template.fromJSON(stack?.template).toJSON()['Resources'] as Record<
    string,
    { Type: string; DeletionPolicy?: string; Properties: Record<string, unknown> }
  >;
  const kept = Object.values(resources).filter(
    ({ Type, DeletionPolicy }) => DeletionPolicy === 'Retain' && Type !== 'AWS::MSK::Topic',
  );
  expect(kept).toEqual([]);
  const [mapping] = Object.values(resources).filter(
    ({ Type, Properties }) => Type === 'AWS::Lambda::EventSourceMapping' && Properties['Topics'] !== undefined,
  );
  expect(mapping?.Properties).toMatchObject({
    EventSourceArn: CLUSTER.clusterArn,
    Topics: ['lockstep-verify'],
    BatchSize: 10,
    MaximumBatchingWindowInSeconds: 1,
  });
  const partitions = Object.values(resources).flatMap(({ Type, Properties }) =>
    Type === 'AWS::MSK::Topic' ? [[Properties['TopicName'], Properties['PartitionCount']]] : [],
  );
  expect(partitions).toEqual([['Lockstep-Verify-Verify-dead-letters', 1]]);
  const [handler] = Object.entries(resources).flatMap(([id, { Type, Properties }]) =>
    Type === 'AWS::Lambda::Function' && id.startsWith('VerifyHandler') ? [Properties] : [],
  );
  expect(handler).toMatchObject({
    Timeout: 15,
    Environment: { Variables: { DELIVERIES_TABLE: { Ref: expect.stringMatching(/^DeliveriesTable/) } } },
  });
  expect(grantLines(Template.fromJSON(stack?.template))).toMatchObject({
    VerifyHandlerRole: expect.arrayContaining([
      'ProduceOnward: Allow kafka-cluster:DescribeTopic, kafka-cluster:WriteData on arn:aws:kafka:eu-central-1:111122223333:topic/main/11111111-2222-3333-4444-555555555555-1/lockstep-verify',
    ]),
    'VerifyHandlerRoleDefaultPolicy of {VerifyHandlerRole}': [
      'RollBack: Allow kafka-cluster:AlterTransactionalId, kafka-cluster:DescribeTransactionalId on arn:aws:kafka:eu-central-1:111122223333:transactional-id/main/11111111-2222-3333-4444-555555555555-1/lockstep-verify',
      'WriteInTransactions: Allow kafka-cluster:WriteDataIdempotently on arn:aws:kafka:eu-central-1:111122223333:cluster/main/11111111-2222-3333-4444-555555555555-1',
      'Allow dynamodb:GetItem, dynamodb:UpdateItem, dynamodb:DeleteItem on {DeliveriesTable.Arn}',
    ],
  });
});

test('a cluster of cdk.json that lacks something is named with it', () => {
  const { vpcId: _, ...without } = CLUSTER;

  expect(() => stageConfig({ ...NOTHING, stage: 'verify', cluster: without })).toThrow(/STAGE_INVALID[\s\S]*vpcId/);
  expect(() => stageConfig({ ...NOTHING, stage: 'verify', cluster: 'main' })).toThrow(/STAGE_INVALID[\s\S]*cluster/);
});
