import { execFileSync } from 'node:child_process';
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const root = read('package.json');
const tools = read('packaging/tools/package.json');

/** Types alone, and imports in the files that `init` and `reproduce` write. */
const ELSEWHERE = new Set(['aws-lambda', 'lockstep', 'vitest', '@jest/globals']);

/** Bytes of a package's own files. */
function bytesOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, one) => {
    const path = join(folder, one.name);
    if (one.isDirectory()) return one.name === 'node_modules' ? sum : sum + bytesOf(path);
    return sum + statSync(path).size;
  }, 0);
}

test('a function’s own install is at most 60 packages and 30 MB, and brings no CDK, no command and no local cloud', () => {
  const installed = Object.entries<Record<string, unknown>>(read('package-lock.json').packages).filter(
    ([path, { dev, devOptional, optional, peer }]) => path !== '' && !dev && !devOptional && !optional && !peer,
  );
  const megabytes = installed.reduce((sum, [path]) => sum + bytesOf(path), 0) / 1e6;

  // The package itself is one more, of 3 MB.
  expect(installed.length + 1).toBeGreaterThan(20);
  expect(installed.length + 1).toBeLessThanOrEqual(60);
  expect(megabytes + 3).toBeLessThan(30);
  const names = installed.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
  const others = ['aws-cdk-lib', 'constructs', 'esbuild', 'commander', '@aws-sdk/client-cloudformation'];
  expect(names.filter((name) => others.includes(name))).toEqual([]);
});

test('every package that shipped modules import comes with lockstep, with lockstep-tools or as a peer', () => {
  const importsOf = (folders: string) => {
    const files = globSync(`${folders}/**/*.ts`, {
      exclude: ['infra/local/demo/**', 'infra/local/main.ts', 'console/page/**'],
    });
    const texts = files.map((file) => readFileSync(file, 'utf8'));
    const names = texts.flatMap((text) =>
      [...text.matchAll(/(?:from|import\() ?'((?:@[\w-]+\/)?[\w-]+)[\w./-]*'/g)].flatMap(([, name = '']) => name),
    );
    return new Set(names.filter((name) => !isBuiltin(name) && !ELSEWHERE.has(name)));
  };
  const own = [...Object.keys(root.dependencies), ...Object.keys(root.peerDependencies)];
  const runtime = importsOf('{shared,public,infra/constructs,functions/relay,functions/redrive}');
  const commands = importsOf('{cli,console,infra/local}');

  expect(runtime.has('@middy/core') && commands.has('commander')).toBe(true);
  expect([...runtime].filter((name) => !own.includes(name))).toEqual([]);
  expect([...commands].filter((name) => !own.includes(name) && !(name in tools.dependencies))).toEqual([]);
});

test('lockstep-tools has the version of lockstep, and of each package the one that is tested', () => {
  expect(tools.version).toBe(root.version);
  expect(root.peerDependencies['lockstep-tools']).toBe(root.version);
  expect(root.devDependencies).toMatchObject(tools.dependencies);
});

test('without lockstep-tools the command says in one line what to install', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-bare-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'dist/cli'), { recursive: true });
  cpSync('bin', join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'dist/cli/main.js'), "import 'commander';");

  const running = () =>
    execFileSync(process.execPath, [join(folder, 'bin/lockstep.js')], { encoding: 'utf8', stdio: 'pipe' });

  expect(running).toThrow(
    '✖ The package commander is not installed. The commands need lockstep-tools. Run: npm install --save-dev lockstep-tools\n',
  );
});
