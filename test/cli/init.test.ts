import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { run } from '../../cli/run.ts';
import { readmeCode } from '../local/package/a-users-app.ts';

let folder: string;
let printed: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'app-'));
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  printed = [];
  for (const stream of ['log', 'error'] as const)
    vi.spyOn(console, stream).mockImplementation((line) => void printed.push(line));
  write('package.json', JSON.stringify({ devDependencies: { jest: '^30' } }));
  write('tsconfig.json', '{}');
  write('cdk.json', JSON.stringify({ app: 'npx tsx bin/app.ts', context: { other: 1 } }));
  write('node_modules/aws-cdk/package.json', '{}');
  write('bin/app.ts', BIN);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const BIN = `#!/usr/bin/env node
import * as cdk from 'aws-cdk-lib/core';
import { AppStack } from '../lib/app-stack';

const app = new cdk.App();
new AppStack(app, 'AppStack', {
});
`;

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}
const read = (path: string) => readFileSync(join(folder, path), 'utf8');

test('init writes what the README shows, adds the stack to the app, and describes a cluster', async () => {
  expect(await run(['init', 'orders'])).toBe(0);

  const readme = await readmeCode();
  expect(read('lambda/orders.ts')).toBe(readme.get('lambda/orders.ts'));
  expect(read('test/orders.test.ts')).toBe(readme.get('test/orders.test.ts'));
  const stack = readme.get('lib/app-stack.ts') ?? '';
  expect(read('lib/orders-stack.ts')).toBe(
    stack.replace('lib/app-stack.ts', 'lib/orders-stack.ts').replace('AppStack', 'OrdersStack'),
  );
  expect(read('bin/app.ts')).toBe(`#!/usr/bin/env node
import * as cdk from 'aws-cdk-lib/core';
import { AppStack } from '../lib/app-stack';
import { OrdersStack } from '../lib/orders-stack';

const app = new cdk.App();
new OrdersStack(app, 'OrdersStack');
new AppStack(app, 'AppStack', {
});
`);
  expect(JSON.parse(read('cdk.json'))).toEqual({
    app: 'npx tsx bin/app.ts',
    context: { other: 1, ...JSON.parse(`{${readme.get('json')}}`) },
  });
  expect(printed.join('\n')).toBe(`wrote lambda/orders.ts
wrote lib/orders-stack.ts
wrote test/orders.test.ts
changed bin/app.ts
changed cdk.json
Before you deploy to AWS, put your own cluster into the \`context\` of cdk.json.
Then: npm install lockstep lockstep-tools valibot`);
});

test('nothing is overwritten: a second init says what is there', async () => {
  await run(['init', 'orders']);
  write('lambda/orders.ts', 'mine');

  expect(await run(['init', 'orders'])).toBe(2);

  expect(read('lambda/orders.ts')).toBe('mine');
  expect(printed.at(-1)).toContain(
    'lambda/orders.ts, lib/orders-stack.ts, test/orders.test.ts exists already, so nothing was written',
  );
});

test('a project’s own cluster, and an app that looks otherwise, are left as they are', async () => {
  write('cdk.json', JSON.stringify({ app: 'npx tsx bin/app.ts', context: { cluster: { clusterArn: 'mine' } } }));
  write('bin/app.ts', 'main();\n');

  expect(await run(['init', 'my-orders', '--topic', 'shop.orders'])).toBe(0);

  expect(JSON.parse(read('cdk.json')).context).toEqual({ cluster: { clusterArn: 'mine' } });
  expect(read('bin/app.ts')).toBe('main();\n');
  expect(printed.join('\n')).toContain(`Add the stack to your app, beside the others:
  import { MyOrdersStack } from '../lib/my-orders-stack';
  new MyOrdersStack(app, 'MyOrdersStack');`);
  expect(read('lib/my-orders-stack.ts')).toContain(
    "new LockstepConsumer(this, 'MyOrders', { cluster, topic: 'shop.orders', entry: 'lambda/my-orders.ts' });",
  );
  expect(read('test/my-orders.test.ts')).toContain("record({ topic: 'shop.orders', value: order })");
});

test.each([
  ['vitest', "import { expect, test } from 'vitest';", 'expect(outcomes).toEqual('],
  ['node:test', "import { test } from 'node:test';", 'assert.deepEqual(outcomes, '],
])('the test is for the runner that is named: %s', async (runner, header, check) => {
  expect(await run(['init', 'orders', '--runner', runner])).toBe(0);

  expect(read('test/orders.test.ts')).toContain(header);
  expect(read('test/orders.test.ts')).toContain(check);
});

test.each([['Orders'], ['../orders'], ['a b'], ['-a']])('%j is no name', async (name) => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);

  expect(await run(['init', '--', name])).toBe(2);
});

test('outside a CDK app it says how to make one', async () => {
  rmSync(join(folder, 'cdk.json'));

  expect(await run(['init', 'orders'])).toBe(1);

  expect(printed.at(-1)).toContain('npx aws-cdk init app --language typescript');
});
