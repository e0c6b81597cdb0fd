import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { LockstepConsumer } from '../../infra/constructs/lockstep-consumer.ts';
import { download } from '../../infra/local/downloads.ts';
import { requirePython } from '../../infra/local/requirements.ts';
import { stageConfig } from '../../infra/stage-config.ts';
import { addStageStacks } from '../../infra/stage-stacks.ts';
import { LEAST } from '../infra/synth.ts';

// As for all suites here: what is imported from test/infra has other limits.
vi.setConfig({ testTimeout: 600_000 });

const run = promisify(execFile);
const CFN_LINT = 'cfn-lint==1.58.0';
const outdir = mkdtempSync(join(tmpdir(), 'lockstep-lint-'));
let cfnLint: readonly [python: string, script: string];

beforeAll(async () => {
  const venv = await download('cfn-lint', CFN_LINT, async (folder) => {
    await run(await requirePython(), ['-m', 'venv', folder]);
    await run(join(folder, 'bin', 'python'), [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      CFN_LINT,
    ]);
  });
  // Not the script alone: its first line names the folder in which it was installed, before that was moved into place.
  cfnLint = [join(venv, 'bin', 'python'), join(venv, 'bin', 'cfn-lint')];
});
afterAll(() => rmSync(outdir, { recursive: true }));

/**
 * Rules not heeded. W3005: CDK also writes down dependencies that a `Ref` implies. W3010: the cluster stage names its zones on purpose,
 * since MSK is not in every zone, and looking them up would ask for credentials. W6001: a consumer's outputs name its cluster, by
 * which tools find its ledger items, also where another stack of the app made the cluster.
 */
const IGNORED = ['W3005', 'W3010', 'W6001'];

/** What cfn-lint has to say about an app's templates: rule, resource or property. */
async function lint(name: string, build: (app: App) => void): Promise<string> {
  const app = new App({ outdir: join(outdir, name), context: { 'aws:cdk:bundling-stacks': [] } });
  build(app);
  app.synth();
  const templates = readdirSync(join(outdir, name)).filter((file) => file.endsWith('.template.json'));
  const [python, script] = cfnLint;
  const options = ['--regions', 'eu-central-1', '--ignore-checks', ...IGNORED, '--format', 'parseable', '--'];
  const { stdout } = await run(python, [
    script,
    ...options,
    ...templates.map((file) => join(outdir, name, file)),
  ]).catch((error) => {
    // 2, 4, 8 and their sums: errors, warnings, information. Anything else is cfn-lint's own failure.
    if (typeof error.code !== 'number' || error.code % 2 !== 0) throw error;
    return error;
  });
  return stdout;
}

// Stage `local` has the same stacks as `example`, on another cluster, and the other suites deploy it.
test.each(['example', 'cluster'])('cfn-lint finds nothing in the templates of the %s stage', async (stage) => {
  const clusterArn = 'arn:aws:kafka:us-east-1:000000000000:cluster/local/uuid-1';
  const context = { stage, clusterArn, creditCheckUrl: undefined, region: undefined, alarmEmail: 'ops@example.com' };
  expect(await lint(stage, (app) => addStageStacks(app, stageConfig(context)))).toBe('');
});

test('cfn-lint finds nothing in a consumer with everything switched on', async () => {
  const everything = {
    ...LEAST,
    tracing: true,
    onFailureDestination: { retryAttempts: 100 },
    producesTo: ['shipments'],
  };
  expect(
    await lint('everything', (app) => void new LockstepConsumer(new Stack(app, 'Shop'), 'Orders', everything)),
  ).toBe('');
});

test('cfn-lint would find a wrong property', async () => {
  const wrong = await lint('wrong', (app) => {
    new CfnResource(new Stack(app, 'Shop'), 'Topic', { type: 'AWS::MSK::Topic', properties: { TopicName: 'orders' } });
  });
  expect(wrong).toContain('E3003');
});
