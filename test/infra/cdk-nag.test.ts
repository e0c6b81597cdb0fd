import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LockstepConsumer } from '../../infra/constructs/lockstep-consumer.ts';
import { stageConfig } from '../../infra/stage-config.ts';
import { addStageStacks } from '../../infra/stage-stacks.ts';
import { LEAST, STRICT } from './synth.ts';

let outdir: string;
beforeEach(() => {
  outdir = mkdtempSync(join(tmpdir(), 'lockstep-nag-'));
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(outdir, { recursive: true });
});

/** Rules of AWS Solutions that an app breaks, each with the construct that breaks it. */
function findings(build: (app: App) => void): string[] {
  const app = new App({ outdir, context: { ...STRICT, 'aws:cdk:bundling-stacks': [] } });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  build(app);
  try {
    app.synth();
    return [];
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ValidationFailed')) throw error;
    return readFileSync(join(outdir, 'validation-report.json'), 'utf8').match(/AwsSolutions-\w+(\[[^\]]+\])?/g) ?? [];
  }
}

test.each(['local', 'example', 'cluster'])('the %s stage breaks no rule of AWS Solutions', (stage) => {
  const clusterArn = 'arn:aws:kafka:us-east-1:000000000000:cluster/local/uuid-1';
  const context = { stage, clusterArn, creditCheckUrl: undefined, region: undefined, alarmEmail: 'ops@example.com' };
  expect(findings((app) => addStageStacks(app, stageConfig(context)))).toEqual([]);
});

test('a consumer with everything that can be switched on breaks none either', () => {
  const everything = {
    ...LEAST,
    tracing: true,
    onFailureDestination: { retryAttempts: 100 },
    producesTo: ['shipments'],
  };
  expect(findings((app) => void new LockstepConsumer(new Stack(app, 'Shop'), 'Orders', everything))).toEqual([]);
});

test('nor does one with a role that is imported, in a VPC', () => {
  const found = findings((app) => {
    const stack = new Stack(app, 'Shop');
    const role = Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::111122223333:role/consumers', { mutable: false });
    new LockstepConsumer(stack, 'Orders', { ...LEAST, role });
  });
  expect(found).toEqual([]);
});

test('what a user grants on everything is still found, on the consumer’s own role too', () => {
  const found = findings((app) => {
    const stack = new Stack(app, 'Shop');
    const orders = new LockstepConsumer(stack, 'Orders', LEAST);
    orders.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] }));
  });
  expect(found).toContain('AwsSolutions-IAM5[Resource::*]');
});
