import { randomUUID } from 'node:crypto';
import { logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from 'vitest';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { readDeployed } from '../../../infra/local/deployed.ts';
import { endpointEnvironment } from '../../../infra/local/local-endpoint.ts';
import { makeTopics } from '../../../infra/local/topics.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { aUsersApp, packedPackage, readmeCode, type UsersApp } from './a-users-app.ts';

const INSTALLED_WITHIN_MS = 600_000;
let app: UsersApp;

/** What the README says: init, install, paste. */
beforeAll(async () => {
  app = await aUsersApp();
  const tarball = await packedPackage(`${app.folder}/..`);
  const quiet = ['--no-fund', '--no-audit', '--prefer-offline', '--loglevel', 'error'];
  await app.run('npm', ['install', ...quiet, tarball, 'esbuild', 'valibot']);
  const code = await readmeCode();
  for (const path of ['lambda/orders.ts', 'lib/app-stack.ts', 'test/orders.test.ts'])
    await app.write(path, code.get(path) ?? '');
  const { clusterArn } = inject('localCloud');
  const cluster = code.get('json') ?? '';
  expect(JSON.parse(`{${cluster}}`).cluster).toMatchObject({ auth: 'iam' });
  const settings = JSON.parse(await app.read('cdk.json'));
  settings.context.cluster = { clusterArn, auth: 'none', topics: 'elsewhere' };
  await app.write('cdk.json', JSON.stringify(settings));
}, INSTALLED_WITHIN_MS);

afterAll(() => app?.dispose());

test('the README’s test passes in the jest of that app, which loads CommonJS', async () => {
  await app.write(
    'test/stack.test.ts',
    `import { LockstepConsumer } from 'lockstep/cdk';
     test('the construct is there', () => expect(LockstepConsumer.name).toBe('LockstepConsumer'));`,
  );
  onTestFinished(() => app.remove('test/stack.test.ts'));

  const printed = await app.run('npx', ['jest', '--json']);

  const { numPassedTests, numFailedTests, testResults } = JSON.parse(printed);
  const files = testResults.map(({ name }: { name: string }) => name.split('/').at(-1)).sort();
  expect({ numPassedTests, numFailedTests, files }).toEqual({
    numPassedTests: 3,
    numFailedTests: 0,
    files: ['app.test.ts', 'orders.test.ts', 'stack.test.ts'],
  });
});

test('the README’s lines compile in the app that cdk init makes, all declarations checked', async () => {
  await app.run('npx', ['tsc', '--noEmit', '--skipLibCheck', 'false']);
  await app.run('npx', ['tsc', '--noEmit', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess']);
});

test('a mistake in the stack is a compile error: the declarations are really there', async () => {
  const stack = await app.read('lib/app-stack.ts');
  onTestFinished(() => app.write('lib/app-stack.ts', stack));

  await app.write('lib/app-stack.ts', stack.replace("topic: 'orders'", 'topic: 7'));

  await expect(app.run('npx', ['tsc', '--noEmit'])).rejects.toThrow(/Type 'number' is not assignable to type/);
});

test('the package brings its own runtime modules, and leaves CDK and esbuild to the app', async () => {
  const lock = JSON.parse(await app.read('package-lock.json'));
  const installed = Object.keys(lock.packages);

  expect(installed).toContain('node_modules/kafkajs');
  for (const peer of ['aws-cdk-lib', 'constructs', 'esbuild']) {
    expect(installed.filter((path) => path.endsWith(`node_modules/${peer}`))).toEqual([`node_modules/${peer}`]);
  }
});

test('the lockstep command comes with the package', async () => {
  expect(await app.run('npx', ['lockstep', '--help'])).toMatch(/^Usage: lockstep /);
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

test('deployed by the app’s own cdk, the README’s handler consumes a record', async () => {
  const cloud = inject('localCloud');
  const environment = { ...endpointEnvironment(cloud.endpoint), CDK_DISABLE_CLI_TELEMETRY: '1' };

  await app.run('npx', ['cdk', 'deploy', '--require-approval', 'never', '--no-notices', '--ci'], environment);

  const deployed = await readDeployed(cloud.endpoint, ['AppStack']);
  const [consumer] = deployed.consumers;
  expect(consumer).toMatchObject({ name: 'Orders', topic: { topicName: 'orders' }, mapping: { batchSize: 100 } });
  await makeTopics(cloud.bootstrapServers, [{ topicName: 'AppStack-Orders-dead-letters', partitions: 6 }]);
  const printed: string[] = [];
  const running = await runConsumers({ ...cloud, deployed }, { onLog: (_, line) => printed.push(line) });
  onTestFinished(() => running.stop());
  const kafka = kafkaJsClient({ brokers: [cloud.bootstrapServers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const amount = Math.floor(Math.random() * 1e9);

  const [sent] = await producer.send({
    topic: 'orders',
    messages: [{ key: 'c-1', value: JSON.stringify({ orderId: randomUUID(), amount }) }],
  });
  await producer.disconnect();

  const position = `orders-${sent?.partition}@${sent?.baseOffset}`;
  await vi.waitFor(
    () => expect(printed.map(fieldsOf)).toContainEqual(expect.objectContaining({ position, amount, attempt: 1 })),
    { timeout: 180_000, interval: 200 },
  );
});

function fieldsOf(line: string): unknown {
  return line.startsWith('{') ? JSON.parse(line) : line;
}
