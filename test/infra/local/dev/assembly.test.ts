import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Duration, Stack, Stage } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOCAL_CLUSTER_CONTEXT } from '../../../../infra/constructs/local-cluster.ts';
import { localAssembly } from '../../../../infra/local/dev/assembly.ts';
import { requireConsumer } from '../../../../infra/local/dev/dev-session.ts';
import { KafkaTopic, LockstepConsumer } from '../../../../public/cdk.ts';

let outdir: string;
beforeEach(() => {
  outdir = mkdtempSync(join(tmpdir(), 'assembly-'));
  mkdirSync(outdir, { recursive: true });
});
afterEach(() => rmSync(outdir, { recursive: true }));

const CLUSTER = {
  clusterArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/11111111-2222-3333-4444-555555555555-1',
  vpcId: 'vpc-0123456789abcdef0',
  subnetIds: ['subnet-0123456789abcdef0'],
  securityGroupIds: ['sg-0123456789abcdef0'],
  auth: 'iam',
} as const;
const LOCAL = {
  clusterArn: 'arn:aws:kafka:us-east-1:000000000000:cluster/lockstep/11111111-2222-3333-4444-555555555555-1',
  bootstrapServers: '127.0.0.1:9092',
};
const ENTRY = 'functions/deliveries/handler.ts';

/** An app as its user wrote it, with the context that `lockstep dev` gives. */
const app = () => new App({ outdir, context: { [LOCAL_CLUSTER_CONTEXT]: JSON.stringify(LOCAL) } });

function consumer(stack: Stack, name: string): LockstepConsumer {
  return new LockstepConsumer(stack, name, {
    cluster: CLUSTER,
    topic: 'orders',
    entry: ENTRY,
    operations: false,
  });
}

test('consumers of an app take the local cluster: no VPC, no TLS, no topics of CloudFormation', async () => {
  const made = app();
  const stack = new Stack(made, 'Shop');
  new KafkaTopic(stack, 'Topic', { cluster: CLUSTER, topicName: 'a', partitions: 1, retention: Duration.days(1) });
  consumer(stack, 'Orders');
  made.synth();

  const { stacks } = await localAssembly(outdir, 'us-east-1');

  expect(stacks.map(({ displayName, stackName }) => ({ displayName, stackName }))).toEqual([
    { displayName: 'Shop', stackName: 'Shop' },
  ]);
  const { Resources } = JSON.parse(readFileSync(join(outdir, 'Shop.template.json'), 'utf8'));
  const resources = Object.values<{ Type: string; Properties: Record<string, unknown> }>(Resources);
  expect(resources.filter(({ Type }) => Type === 'AWS::MSK::Topic')).toEqual([]);
  const mapping = resources.find(({ Type }) => Type === 'AWS::Lambda::EventSourceMapping');
  expect(mapping?.Properties['EventSourceArn']).toBe(LOCAL.clusterArn);
  const handler = resources.find(({ Type }) => Type === 'AWS::Lambda::Function');
  expect(handler?.Properties['VpcConfig']).toBeUndefined();
  expect(handler?.Properties['Environment']).toMatchObject({
    Variables: { LOCKSTEP_BOOTSTRAP_SERVERS: '127.0.0.1:9092', LOCKSTEP_KAFKA_AUTH: 'none' },
  });
});

test('for dev a handler is bundled once, into one file', () => {
  const made = app();
  consumer(new Stack(made, 'Shop'), 'Orders');
  made.synth();

  expect(
    globSync('asset.*/**', { cwd: outdir })
      .map((path) => path.replace(/^asset\.\w+/, 'asset'))
      .sort(),
  ).toEqual(['asset', 'asset/index.mjs', 'asset/index.mjs.map']);
});

test('a stack for another account and region, in a stage, comes to the local ones; one without a consumer is left out', async () => {
  const made = app();
  const stage = new Stage(made, 'Prod', { env: { account: '111122223333', region: 'eu-central-1' } });
  consumer(new Stack(stage, 'Shop'), 'Orders');
  new Queue(new Stack(made, 'Website', { env: { account: '111122223333', region: 'eu-central-1' } }), 'Queue');
  made.synth();

  const assembly = await localAssembly(outdir, 'us-east-1');
  const { folder, stacks } = assembly;

  expect(() => requireConsumer(assembly, 'orders')).not.toThrow();
  expect(() => requireConsumer(assembly, 'nobody')).toThrow('No consumer is called nobody. There are: Orders.');
  expect(stacks.map(({ displayName, stackName }) => ({ displayName, stackName }))).toEqual([
    { displayName: 'Prod/Shop', stackName: 'Prod-Shop' },
  ]);
  const manifest = JSON.parse(readFileSync(join(folder, 'assembly-Prod/manifest.json'), 'utf8'));
  expect(JSON.stringify(manifest)).toContain('aws://000000000000/us-east-1');
  expect(JSON.stringify(manifest)).not.toMatch(/111122223333|eu-central-1/);
});

test('an app without a consumer is told so', async () => {
  const made = app();
  new Queue(new Stack(made, 'Website'), 'Queue');
  made.synth();

  await expect(localAssembly(outdir, 'us-east-1')).rejects.toThrow(
    'The app has no LockstepConsumer, so there is nothing to run. Add one to a stack: the README shows how.',
  );
});

test('the context value of dev is refused where somebody else wrote it', () => {
  const made = new App({ outdir, context: { [LOCAL_CLUSTER_CONTEXT]: 'true' } });

  expect(() => consumer(new Stack(made, 'Shop'), 'Orders')).toThrow(
    'The context value lockstep:local-cluster is for `lockstep dev`, and is not as it writes it. Remove it from cdk.json and from the command line.',
  );
});
