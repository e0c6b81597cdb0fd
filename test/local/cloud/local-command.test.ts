import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { REPOSITORY } from '../../../infra/local/local-folder.ts';
import { answers } from '../fixtures/answers.ts';
import { commandEnvironment } from '../fixtures/command-environment.ts';
import { type RunningCommand, runningCommand } from '../fixtures/running-command.ts';

const run = promisify(execFile);
const LOCKSTEP = join(REPOSITORY, 'bin/lockstep.js');
const UP = /Apache Kafka is up at \S+?:(\d+), AWS's APIs at \S+:(\d+)/;

const start = (cwd: string, script: string, ...options: string[]) =>
  runningCommand(script, options, { cwd, env: commandEnvironment() });

function portsOf({ printed }: RunningCommand) {
  const [, kafka = 0, ministack = 0] = (UP.exec(printed()) ?? []).map(Number);
  return { kafka, ministack };
}

/** Starts `npm run local` with a small app. */
function startLocal() {
  const app = 'npx node test/local/cloud/fixtures/cloud-app.ts';
  return start(REPOSITORY, join(REPOSITORY, 'infra/local/main.ts'), '--app', app);
}

/** Kills a server, not its guard. @param named - what only its command line has */
async function kill(named: string): Promise<void> {
  const { stdout } = await run('ps', ['-axo', 'pid=,command=']);
  const found = stdout.split('\n').filter((line) => line.includes(named) && !line.includes('guard-main'));
  expect(found).toHaveLength(1);
  process.kill(Number.parseInt(found[0] ?? '', 10), 'SIGKILL');
}

test('npm run local, killed with SIGKILL, leaves no server behind', async () => {
  const local = startLocal();
  // Its servers are up, and cdk deploys: also what that started must end.
  await local.says(UP);
  const { kafka, ministack } = portsOf(local);
  expect(await Promise.all([answers(ministack), answers(kafka)])).toEqual([true, true]);

  local.process.kill('SIGKILL');
  await once(local.process, 'exit');

  await expect
    .poll(() => Promise.all([answers(ministack), answers(kafka)]), { timeout: 180_000 })
    .toEqual([false, false]);
});

/** An app of somebody's own. */
async function anotherApp(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-side-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const files = {
    'cdk.json': JSON.stringify({ app: 'node app.ts' }),
    'package.json': '{"type":"module"}',
    'handler.ts':
      "export const handler = async () => { console.log('side by side'); return { batchItemFailures: [] }; };",
    'app.ts': `import { App, Stack } from 'aws-cdk-lib';
      import { LockstepConsumer } from '${REPOSITORY}/public/cdk.ts';
      const cluster = { clusterArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/11111111-2222-3333-4444-555555555555-1',
        vpcId: 'vpc-1', subnetIds: ['subnet-1'], securityGroupIds: ['sg-1'], auth: 'iam' as const };
      new LockstepConsumer(new Stack(new App(), 'Side'), 'Side',
        { cluster, topic: 'side', entry: 'handler.ts', checkHandler: false, operations: false });`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

test('two apps run side by side, one on the other’s broker; a server that dies is one clear error, and nothing is left', async () => {
  const [local, folder] = [startLocal(), await anotherApp()];
  await local.says(UP);
  const { kafka, ministack } = portsOf(local);
  const brokers = `127.0.0.1:${kafka}`;
  const side = start(folder, LOCKSTEP, 'dev', '--kafka', brokers);
  await Promise.all([local.says('The local cloud is up.'), side.says('The local cloud is up.')]);
  const page = /Console +(\S+)/.exec(side.printed())?.[1] ?? '';
  expect((await fetch(page, { redirect: 'manual' })).status).toBe(303);

  // From elsewhere, a broker must be named: no local cloud runs here.
  const alone = (...args: string[]) =>
    run(process.execPath, [LOCKSTEP, ...args], { cwd: tmpdir(), env: commandEnvironment() });
  await expect(alone('produce', 'side', '--value', 'v-1')).rejects.toThrow('No local cloud runs the app of');
  await alone('produce', 'side', '--key', 'k-1', '--value', 'v-1', '--kafka', brokers);
  await side.says('side by side');
  const consumed = (await alone('consume', 'side', '--values', '--count', '1', '--kafka', brokers)).stdout;
  expect(consumed).toContain('k-1');
  expect(consumed).toContain('v-1');

  const own = portsOf(side).ministack;
  await kill(`--bind 127.0.0.1:${own}`);
  expect(await once(side.process, 'exit')).toEqual([1, null]);
  expect(side.printed().match(/^✖ .*$/gm)).toEqual([expect.stringContaining('MiniStack has ended by itself')]);
  expect(await Promise.all([own, ministack, kafka].map(answers))).toEqual([false, true, true]);

  await kill(`kafka-${kafka}.properties`);
  expect(await once(local.process, 'exit')).toEqual([1, null]);
  expect(local.printed().match(/^✖ .*$/gm)).toEqual([expect.stringContaining('Kafka has ended by itself')]);
  expect(await Promise.all([ministack, kafka].map(answers))).toEqual([false, false]);
});

test('npm run demo shows that every promise held for 2,000 orders', async () => {
  const { process: demo, printed } = start(REPOSITORY, join(REPOSITORY, 'infra/local/demo/main.ts'));

  const [code] = await once(demo, 'exit');

  expect(printed()).toContain('Every check held');
  expect(printed().match(/^│ ✔/gm)).toHaveLength(8);
  expect(code).toBe(0);
});
