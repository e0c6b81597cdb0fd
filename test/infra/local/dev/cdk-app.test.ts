import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appInputs } from '../../../../infra/local/dev/app-inputs.ts';
import { appFolder, cdkAppAround } from '../../../../infra/local/dev/cdk-app.ts';
import { handlerBuild } from '../../../../infra/local/dev/handler-builds.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'app-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): string {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
  return join(folder, path);
}

const AN_APP = JSON.stringify({ app: 'npx tsc && npx tsx bin/app.ts' });

test('an app is found from a folder inside it; without one the error says how to make one', () => {
  write('cdk.json', AN_APP);
  write('lambda/orders.ts', '');
  expect(appFolder(join(folder, 'lambda'))).toBe(folder);

  rmSync(join(folder, 'cdk.json'));

  expect(() => cdkAppAround(folder)).toThrow(
    `There is no CDK app here: neither ${folder} nor a folder above it has a cdk.json. Go to the folder of your app, or make one: npx aws-cdk init app --language typescript`,
  );
});

test('an app without aws-cdk is told how to install it', () => {
  write('cdk.json', AN_APP);

  expect(() => cdkAppAround(folder)).toThrow(
    `The package aws-cdk is not installed in ${folder}. Run: npm install --save-dev aws-cdk`,
  );
});

test('what may change a stack is what the app imports, not its handlers and not its packages', async () => {
  const app = { folder, cdk: '' };
  const settings = write('cdk.json', AN_APP);
  const bin = write('bin/app.ts', "import { topic } from '../lib/stack';\nimport 'aws-cdk-lib';\nconsole.log(topic);");
  const stack = write('lib/stack.ts', "export const topic: string = 'orders';");
  write('lambda/orders.ts', '');
  write('node_modules/aws-cdk-lib/index.js', '');

  expect((await appInputs(app)).sort()).toEqual([bin, settings, stack].sort());

  // Nobody can say what an app imports that does not compile: any module may mend it.
  const broken = write('lib/stack.ts', 'export const = 1');
  expect((await appInputs(app)).sort()).toEqual([bin, settings, broken, join(folder, 'lambda/orders.ts')].sort());
});

test('a handler is bundled again from what it imports; what does not compile is named on one line', async () => {
  write('package.json', '{}');
  const entry = write('lambda/orders.ts', "import { rate } from './rate';\nexport const handler = () => rate;");
  const rate = write('lambda/rate.ts', 'export const rate = 1;');
  await using disposer = new AsyncDisposableStack();
  const built = disposer.adopt(await handlerBuild(folder, 'lambda/orders.ts', {}), (one) => one.dispose());
  expect([...built.inputs].sort()).toEqual([entry, rate]);

  expect((await built.build()).map(({ name }) => name).sort()).toEqual(['index.mjs', 'index.mjs.map']);
  write('lambda/rate.ts', 'export const rate = ;');

  await expect(built.build()).rejects.toThrow('lambda/rate.ts:1:21 Unexpected ";"');
});
