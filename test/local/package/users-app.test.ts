import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { REPOSITORY } from '../../../infra/local/local-folder.ts';
import { answers } from '../fixtures/answers.ts';
import { runningCommand } from '../fixtures/running-command.ts';
import { aUsersApp, packedPackages, readmeCode, type UsersApp } from './a-users-app.ts';

const INSTALLED_WITHIN_MS = 600_000;
/** Commands of docs/getting-started.md that `cdk init` and the packed package stand for. */
const STOOD_FOR = [
  'mkdir shop && cd shop',
  'npx aws-cdk init app --language typescript',
  'npm install lockstep lockstep-tools valibot',
  // What it deploys is checked by `lockstep dev`, which runs the same stack.
  'npx cdk deploy OrdersStack',
];
let app: UsersApp;
const ran: string[] = [...STOOD_FOR];

/** Runs the package's command as npx does, without the time that npx takes. */
const lockstep = (...words: readonly string[]) => app.run('node_modules/.bin/lockstep', words);

/** Runs a command as the page has it, with the words in quotes that need them. */
function shell(command: string): Promise<string> {
  ran.push(command);
  const [, , ...words] = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
  return lockstep(...words);
}

/** What docs/getting-started.md says: init, install, a first consumer. */
beforeAll(async () => {
  app = await aUsersApp();
  const tarballs = await packedPackages(`${app.folder}/..`);
  const quiet = ['--no-fund', '--no-audit', '--prefer-offline', '--loglevel', 'error'];
  await app.run('npm', ['install', ...quiet, ...tarballs, 'valibot']);
  await shell('npx lockstep init orders');
}, INSTALLED_WITHIN_MS);

afterAll(() => app?.dispose());

test('what init writes is what the README shows', async () => {
  const code = await readmeCode();
  const stack = code
    .get('lib/app-stack.ts')
    ?.replace('lib/app-stack', 'lib/orders-stack')
    .replace('AppStack', 'OrdersStack');

  expect(await app.read('lambda/orders.ts')).toBe(code.get('lambda/orders.ts'));
  expect(await app.read('test/orders.test.ts')).toBe(code.get('test/orders.test.ts'));
  expect(await app.read('lib/orders-stack.ts')).toBe(stack);
  expect(JSON.parse(await app.read('cdk.json')).context).toMatchObject(JSON.parse(`{${code.get('json')}}`));
});

test('the README’s test passes in the jest of that app, which loads CommonJS', async () => {
  await app.write(
    'test/stack.test.ts',
    `import { LockstepConsumer } from 'lockstep/cdk';
     test('the construct is there', () => expect(LockstepConsumer.name).toBe('LockstepConsumer'));`,
  );
  onTestFinished(() => app.remove('test/stack.test.ts'));

  ran.push('npm test');
  const printed = await app.run('npm', ['test', '--silent', '--', '--json']);

  const { numPassedTests, numFailedTests, testResults } = JSON.parse(printed);
  const files = testResults.map(({ name }: { name: string }) => name.split('/').at(-1)).sort();
  expect({ numPassedTests, numFailedTests, files }).toEqual({
    numPassedTests: 3,
    numFailedTests: 0,
    files: ['app.test.ts', 'orders.test.ts', 'stack.test.ts'],
  });
});

test('the README’s lines compile in that app with every check on: the only error is the one that was put in', async () => {
  const stack = await app.read('lib/orders-stack.ts');
  onTestFinished(() => app.write('lib/orders-stack.ts', stack));

  await app.write('lib/orders-stack.ts', stack.replace("topic: 'orders'", 'topic: 7'));

  await expect(
    app.run('node_modules/.bin/tsc', ['--noEmit', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess']),
  ).rejects.toThrow(
    /tsc [^\n]*: lib\/orders-stack\.ts\(\d+,\d+\): error TS2322: Type 'number' is not[^\n]*\n\n?[^\n]*$/,
  );
});

test('the package brings its own runtime modules, and leaves CDK and esbuild to the app', async () => {
  const lock = JSON.parse(await app.read('package-lock.json'));
  const installed = Object.keys(lock.packages);

  expect(installed).toContain('node_modules/kafkajs');
  for (const peer of ['aws-cdk-lib', 'constructs', 'esbuild']) {
    expect(installed.filter((path) => path.endsWith(`node_modules/${peer}`))).toEqual([`node_modules/${peer}`]);
  }
});

test('a user’s test runs without AWS, also where it imports deliver and the handler’s module requires the package', async () => {
  await app.write(
    'try.mjs',
    `import { createRequire } from 'node:module';
     import { deliver, kafkaEvent, record } from 'lockstep/testing';
     const { json, lockstepConsumer } = createRequire(import.meta.url)('lockstep');
     const seen = [];
     const handler = lockstepConsumer({ value: json(), idempotencyKey: ({ value }) => value.id, onRecord: ({ value }) => seen.push(value.id) });
     const { outcomes } = await deliver(handler, [record({ value: { id: 'a' } }), record({ value: { id: 'b' } })], { crash: { afterRun: 1 } });
     console.log(JSON.stringify({ seen, outcomes, timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout'), others: [typeof kafkaEvent] }));`,
  );

  const printed = await app.run('node', ['try.mjs']);

  expect(JSON.parse(printed.trim().split('\n').at(-1) ?? '')).toEqual({
    seen: ['a', 'a', 'b'],
    outcomes: { 'orders-0@0': 'handled', 'orders-0@1': 'handled' },
    timers: [],
    others: ['function'],
  });
});

test('lockstep dev runs the app as it is: edits run, a failed record comes back from its dead letter, Ctrl-C leaves nothing', async () => {
  const handler = await app.read('lambda/orders.ts');
  const stack = await app.read('lib/orders-stack.ts');
  const produce = async (number: number, amount: number) =>
    (
      await shell(`npx lockstep produce orders --key c-1 --value '{"orderId":"o-${number}","amount":${amount}}'`)
    ).trim();
  const dev = startDev(app);
  await dev.says('The local cloud is up.');
  expect(dev.printed()).not.toMatch(/^(START|END|REPORT) |"_aws"/m);
  const page = new URL(/Console +(\S+)/.exec(dev.printed())?.[1] ?? '');
  const { headers } = await fetch(page, { redirect: 'manual' });
  const cookie = String(headers.get('set-cookie')).split(';')[0] ?? '';
  const script = await fetch(new URL('/app.js', page.origin), { headers: { cookie } });
  expect([script.status, (await script.text()).length > 10_000]).toEqual([200, true]);

  const position = await produce(1, 5);
  await dev.says(`Orders     · ${position} applied (amount=5)`);
  await dev.says('Orders     ✔ 1 handled');
  expect(await shell('npx lockstep status --local')).toContain('Orders');

  await app.write('lambda/orders.ts', handler.replace("'applied'", "'applied anew'"));
  await dev.says('lambda/orders.ts: Orders runs the new code');
  await dev.says(`${await produce(10, 12)} applied anew (amount=12)`);

  await app.write('lambda/orders.ts', handler.replace('onRecord: (', 'onRecord: (('));
  await dev.says(/✖ lambda\/orders\.ts: lambda\/orders\.ts:\d+:\d+ .*The old code stays\./);

  const broken = handler
    .replace('lockstepConsumer }', 'lockstepConsumer, NonRetryableError }')
    .replace(/=> logger\.info\(.*\),\n/, "=> { throw new NonRetryableError('no such customer'); },\n");
  await app.write('lambda/orders.ts', broken);
  await dev.says(/runs the new code.*runs the new code/s);
  const failed = await produce(2, 6);
  await dev.says(`${failed} record dead-lettered`);
  expect(await shell('npx lockstep dead-letters list --local')).toContain(failed);
  expect(await shell('npx lockstep consume OrdersStack-Orders-dead-letters --values')).toContain('"orderId":"o-2"');

  await app.write('lambda/orders.ts', handler);
  await dev.says(/(runs the new code.*){3}/s);
  await shell('npx lockstep redrive --local --consumer Orders --yes');
  await dev.says('applied (amount=6)');

  await app.write('lib/orders-stack.ts', stack.replace("topic: 'orders',", "topic: 'orders', batchSize: 7,"));
  await dev.says('lib/orders-stack.ts: deployed again.');
  await dev.says(`${await produce(11, 14)} applied (amount=14)`);

  await expect(lockstep('dev')).rejects.toThrow(/already runs this app, in process \d+/);
  await expect(lockstep('produce', 'nowhere', '--value', 'x')).rejects.toThrow('there is no topic `nowhere`');

  dev.process.kill('SIGINT');
  expect(await once(dev.process, 'exit')).toEqual([130, null]);
  const ports = /Kafka +127\.0\.0\.1:(\d+).*https:\/\/127\.0\.0\.1:(\d+)/s.exec(dev.printed());
  expect(await Promise.all([ports?.[1], ports?.[2]].map((port) => answers(Number(port))))).toEqual([false, false]);
  await expect(lockstep('status', '--local')).rejects.toThrow('no local cloud is running');
});

test('every command of docs/getting-started.md has been run', async () => {
  const page = await readFile(join(REPOSITORY, 'docs/getting-started.md'), 'utf8');
  const commands = [...page.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, lines = '']) => lines.trim().split('\n'));

  expect(commands.length).toBeGreaterThan(10);
  expect(commands.filter((command) => !ran.includes(command))).toEqual([]);
});

function startDev({ folder, environment }: UsersApp) {
  ran.push('npx lockstep dev');
  const command = join(folder, 'node_modules/lockstep/bin/lockstep.js');
  return runningCommand(command, ['dev'], { cwd: folder, env: environment() });
}
