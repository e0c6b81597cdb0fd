import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { anEmptyProject, packedPackages, readmeCode } from '../local/package/a-users-app.ts';

/** A kind of project that users have: how it installs, which modules it makes, what compiles it and what runs its tests. */
interface Row {
  readonly installer: readonly [string, ...string[]];
  readonly type: 'commonjs' | 'module';
  readonly typescript: string;
  readonly module: 'node16' | 'nodenext' | 'esnext';
  readonly packages: readonly string[];
  readonly runner: readonly [string, ...string[]];
  /** Further files. */
  readonly files?: Readonly<Record<string, string>>;
  /** Imports `test` and `expect` where they are no globals. */
  readonly header?: string;
  /** Without the CDK: a package of its own for the function. */
  readonly isFunctionOnly?: boolean;
  /** The runner's line for one test that passed. */
  readonly passed: RegExp;
}

const NPM = ['npm', 'install', '--no-fund', '--no-audit', '--prefer-offline', '--loglevel', 'error'] as const;
const PNPM = ['npx', '--yes', 'pnpm@10.28.0', 'add', '--prefer-offline', '--ignore-workspace', '--silent'] as const;
const YARN = ['npx', '--yes', 'yarn@1.22.22', 'add', '--silent', '--ignore-engines'] as const;

const ROWS: Readonly<Record<string, Row>> = {
  'npm, CommonJS, TypeScript 5.6, node16, ts-jest': {
    installer: NPM,
    type: 'commonjs',
    typescript: '5.6',
    module: 'node16',
    packages: ['jest@29', 'ts-jest@29', '@types/jest@29'],
    runner: ['npx', 'jest'],
    files: { 'jest.config.js': "module.exports = { preset: 'ts-jest', roots: ['<rootDir>/test'] };" },
    passed: /Tests: +1 passed, 1 total/,
  },
  'npm, ES modules, TypeScript 5.9, bundler, vitest': {
    installer: NPM,
    type: 'module',
    typescript: '5.9',
    module: 'esnext',
    packages: ['vitest@5.1.0'],
    runner: ['npx', 'vitest', 'run'],
    header: "import { expect, test } from 'vitest';\n",
    passed: /Tests +1 passed/,
  },
  'pnpm, ES modules, TypeScript 7, nodenext, node:test': {
    installer: PNPM,
    type: 'module',
    typescript: '7.0.2',
    module: 'nodenext',
    packages: ['expect@30', 'tsx@4'],
    runner: ['node', '--import', 'tsx', '--test', 'test/orders.test.ts'],
    header: "import { test } from 'node:test';\nimport { expect } from 'expect';\n",
    passed: /pass 1\n.*fail 0/s,
  },
  'yarn, CommonJS, TypeScript 5.9, nodenext, jest, a function without CDK': {
    installer: YARN,
    type: 'commonjs',
    typescript: '5.9',
    module: 'nodenext',
    packages: ['jest@30', '@swc/core@1', '@swc/jest@0.2', '@types/jest@30'],
    runner: ['npx', 'jest'],
    files: { 'jest.config.js': "module.exports = { transform: { '^.+\\\\.tsx?$': ['@swc/jest'] } };" },
    isFunctionOnly: true,
    passed: /Tests: +1 passed, 1 total/,
  },
};

let tarball: string;
let tools: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lockstep-packed-'));
  [tarball, tools] = await packedPackages(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.for(Object.entries(ROWS))(
  '%s: the README’s handler, stack and test compile with all declarations, and pass',
  async ([, row]) => {
    const project = await anEmptyProject();
    onTestFinished(() => project.dispose());
    await project.write('package.json', JSON.stringify({ name: 'app', private: true, type: row.type }));
    const compilerOptions = {
      target: 'ES2022',
      module: row.module,
      moduleResolution: row.module === 'esnext' ? 'bundler' : row.module,
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      types: row.header === undefined ? ['jest', 'node'] : ['node'],
    };
    await project.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['lambda', 'lib', 'test'] }));
    for (const [path, text] of Object.entries(row.files ?? {})) await project.write(path, text);
    const code = await readmeCode();
    const sources = row.isFunctionOnly ? ['lambda/orders.ts'] : ['lambda/orders.ts', 'lib/app-stack.ts'];
    for (const path of sources) await project.write(path, code.get(path) ?? '');
    const extension = row.type === 'module' && row.module === 'nodenext' ? '.js' : '';
    const readmeTest = (code.get('test/orders.test.ts') ?? '').replace(
      "'../lambda/orders'",
      `'../lambda/orders${extension}'`,
    );
    await project.write('test/orders.test.ts', `${row.header ?? ''}${readmeTest}`);
    const [installer, ...install] = row.installer;
    const cdk = row.isFunctionOnly ? [] : [tools, 'aws-cdk-lib@2.276.0', 'constructs@10.8.1'];
    const ours = [tarball, 'valibot@1', ...cdk, '@types/node@24'];
    await project.run(installer, [...install, ...ours, `typescript@${row.typescript}`, ...row.packages]);

    await project.run('npx', ['tsc', '-p', '.']);
    const [runner, ...args] = row.runner;
    const printed = await project.runAll(runner, args);

    expect(stripVTControlCharacters(printed)).toMatch(row.passed);
    if (!row.isFunctionOnly)
      expect(await project.run('node_modules/.bin/lockstep', ['--help'])).toMatch(/^Usage: lockstep /);
  },
);
