import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, Code, type IVersion, Function as LambdaFunction, Runtime, Version } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { expect, test } from 'vitest';
import { LedgerTable } from '../../../infra/constructs/ledger-table.ts';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { LEAST, roleStatements, synth } from '../synth.ts';

const { entry: _, checkHandler: __, ...WITHOUT_ENTRY } = LEAST;

function existing(scope: Construct, id = 'Mine', timeout = Duration.seconds(60)): LambdaFunction {
  const vpc = Vpc.fromVpcAttributes(scope, `${id}Vpc`, {
    vpcId: 'vpc-01234567',
    availabilityZones: ['eu-central-1a'],
    privateSubnetIds: ['subnet-01234567'],
  });
  return new LambdaFunction(scope, id, {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline('exports.handler = () => {}'),
    timeout,
    vpc,
    securityGroups: [SecurityGroup.fromSecurityGroupId(scope, `${id}Group`, 'sg-0123456789abcdef0')],
  });
}

const IMPORTED_ROLE = 'arn:aws:iam::111122223333:role/consumers';

test('an existing function gets the mapping, the environment and the permissions, and no other function is made', () => {
  const template = synth((stack) => {
    new LockstepConsumer(stack, 'Orders', { ...WITHOUT_ENTRY, function: existing(stack) });
  });

  template.resourceCountIs('AWS::Lambda::Function', 1);
  template.hasResourceProperties('AWS::Lambda::Function', {
    Handler: 'index.handler',
    Timeout: 60,
    Environment: {
      Variables: Match.objectLike({ LOCKSTEP_TOPIC: 'orders', LOCKSTEP_CONSUMER_GROUP: 'Shop-Orders' }),
    },
  });
  const [[policy] = []] = Object.entries(
    template.findResources('AWS::IAM::Policy', { Properties: { Roles: [{ Ref: Match.stringLikeRegexp('^Mine') }] } }),
  ).filter(([id]) => id.startsWith('OrdersHandlerPermissions'));
  template.hasResource('AWS::Lambda::EventSourceMapping', {
    Properties: { FunctionName: { Ref: Match.stringLikeRegexp('^Mine') } },
    DependsOn: Match.arrayWith([policy]),
  });
  expect(roleStatements(template, 'OrdersHandlerPermissions').map(({ Sid }) => Sid)).toEqual([
    'KeepOwnProgress',
    'KeepWhatTheTopicRefuses',
    'FindTheBrokers',
    'ConnectToTheCluster',
    'ReadTheTopic',
    'JoinTheGroup',
    'WriteDeadLetters',
    'AttachToTheVpc',
    'NotFromTheHandler',
  ]);
});

test('an alias is what the mapping invokes, and what a release invokes', () => {
  const template = synth((stack) => {
    const version = existing(stack).currentVersion as IVersion;
    const live = new Alias(stack, 'Live', { aliasName: 'live', version });
    new LockstepConsumer(stack, 'Orders', {
      ...WITHOUT_ENTRY,
      function: live,
      operations: true,
      retry: { onExhausted: 'park' },
    });
  });

  const live = { Ref: Match.stringLikeRegexp('^Live') };
  template.hasResourceProperties('AWS::Lambda::EventSourceMapping', { FunctionName: live, Topics: ['orders'] });
  expect(roleStatements(template).find(({ Sid }) => Sid === 'ReleaseParkedKeys')?.Resource).toEqual({
    Ref: expect.stringMatching(/^Live/),
  });
});

test('an imported role that CDK may not change gets the permissions in a policy, and only the consumer’s function has it', () => {
  const template = synth((stack) => {
    const role = Role.fromRoleArn(stack, 'Role', IMPORTED_ROLE, { mutable: false });
    new LockstepConsumer(stack, 'Orders', { ...LEAST, role, operations: true });
  });

  template.hasResourceProperties('AWS::IAM::Policy', { Roles: ['consumers'] });
  template.resourcePropertiesCountIs('AWS::Lambda::Function', { Role: IMPORTED_ROLE }, 1);
  expect(roleStatements(template, 'OrdersHandlerPermissions').map(({ Sid }) => Sid)).toContain('KeepOwnProgress');
});

test('one handler for several topics of a cluster: a consumer for each, with the same entry', () => {
  const template = synth((stack) => {
    for (const topic of ['orders', 'returns']) new LockstepConsumer(stack, topic, { ...LEAST, topic });
  });

  const mappings = Object.values(template.findResources('AWS::Lambda::EventSourceMapping'));
  expect(mappings.map(({ Properties }) => Properties['Topics'])).toEqual([['orders'], ['returns']]);
  const functions = Object.values(template.findResources('AWS::Lambda::Function'));
  expect(new Set(functions.map(({ Properties }) => Properties['Code']['S3Key'])).size).toBe(1);
});

function withTable(partitionKey: string, timeToLiveAttribute?: string, sortKey?: string): () => void {
  return () => {
    synth((stack) => {
      const table = new Table(stack, 'Mine', {
        partitionKey: { name: partitionKey, type: AttributeType.STRING },
        ...(sortKey !== undefined && { sortKey: { name: sortKey, type: AttributeType.STRING } }),
        ...(timeToLiveAttribute !== undefined && { timeToLiveAttribute }),
      });
      new LockstepConsumer(stack, 'Orders', { ...LEAST, ledger: { table } });
    });
  };
}

test('a table of one’s own is taken as the ledger where it has its key and its TTL attribute', () => {
  expect(withTable('pk', 'expiresAt')).not.toThrow();
});

test.each([
  [withTable('id', 'expiresAt'), 'its key is id, and not `pk` alone as a string'],
  [withTable('pk', 'expiresAt', 'sk'), 'its key is pk and sk, and not `pk` alone as a string'],
  [withTable('pk'), 'its TTL attribute is not `expiresAt`'],
])('a table that does not fit is refused (%#)', (made, says) => {
  expect(made).toThrow(says);
});

test('two consumers cannot share one function', () => {
  expect(() =>
    synth((stack) => {
      const mine = existing(stack);
      new LockstepConsumer(stack, 'Orders', { ...WITHOUT_ENTRY, function: mine });
      const version = new Version(stack, 'V', { lambda: mine }) as IVersion;
      const live = new Alias(stack, 'Live', { aliasName: 'live', version });
      new LockstepConsumer(stack, 'Returns', { ...WITHOUT_ENTRY, topic: 'returns', function: live });
    }),
  ).toThrow('LOCKSTEP_FUNCTION_SHARED at Shop/Returns: `function`: the function is also that of Shop/Orders.');
});

test('what is imported is not on the local cloud: there `lockstep dev` makes a role and a table instead, and keeps what the app makes', () => {
  const LOCAL = { clusterArn: 'arn:aws:kafka:us-east-1:000000000000:cluster/local/uuid-1', bootstrapServers: 'b:9092' };
  const app = new App({ context: { 'lockstep:local-cluster': LOCAL, 'aws:cdk:bundling-stacks': [] } });
  const stack = new Stack(app, 'Shop');
  const imported = {
    role: Role.fromRoleArn(stack, 'Imported', IMPORTED_ROLE),
    ledger: { table: Table.fromTableName(stack, 'Theirs', 'ledger') },
  };
  const made = {
    role: new Role(stack, 'Made', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') }),
    ledger: new LedgerTable(stack, 'Ours'),
  };
  new LockstepConsumer(stack, 'Orders', { ...LEAST, ...imported });
  new LockstepConsumer(stack, 'Returns', { ...LEAST, topic: 'returns', ...made });
  const template = Template.fromStack(stack);

  template.resourceCountIs('AWS::DynamoDB::Table', 2);
  expect(JSON.stringify(template.toJSON())).not.toContain('"consumers"');
  template.resourcePropertiesCountIs('AWS::IAM::Policy', { Roles: [{ Ref: Match.stringLikeRegexp('^Made') }] }, 1);
});
