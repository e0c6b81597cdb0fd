import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const BIOME = resolve('node_modules/@biomejs/biome/bin/biome');
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Paths of those modules in which Biome, with the repository's settings, finds a forbidden import. */
function forbidden(modules: Readonly<Record<string, string>>): string[] {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'lockstep-lint-')));
  folders.push(root);
  for (const settings of ['biome.json', '.gitignore']) copyFileSync(settings, join(root, settings));
  for (const [path, source] of Object.entries(modules)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), source);
  }
  const only = ['--only=style/noRestrictedImports', '--max-diagnostics=none', '--reporter=github', '--colors=off'];
  const { stdout, stderr, error } = spawnSync(process.execPath, [BIOME, 'lint', ...only], {
    cwd: root,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  const said = stdout + stderr;
  return Object.keys(modules).filter((path) =>
    said.includes(`lint/style/noRestrictedImports,file=${join(root, path)},`),
  );
}

/** Each way to import from there, as a module of that folder. */
function modules(folderOf: string, from: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    from.flatMap((source, index) => [
      [`${folderOf}/value-${index}.ts`, `import { Thing } from '${source}';\nexport const used = Thing;\n`],
      [`${folderOf}/all-${index}.ts`, `import * as thing from '${source}';\nexport const used = thing;\n`],
      [`${folderOf}/type-${index}.ts`, `import type { Thing } from '${source}';\nexport type Used = Thing;\n`],
      [`${folderOf}/again-${index}.ts`, `export { Thing } from '${source}';\n`],
    ]),
  );
}

const SDKS = ['@aws-sdk/client-dynamodb', '@aws-lambda-powertools/logger', '@opentelemetry/api', 'kafkajs'];
const WORLD = [
  '@middy/core',
  'aws-lambda',
  'node:fs',
  'node:fs/promises',
  'node:timers/promises',
  'node:http',
  'node:net',
  'node:process',
  'node:worker_threads',
  'node:child_process',
];
const RUNTIME = ['../runtime/invocation.ts', '../ports/clock.ts', '../middleware/invocation-telemetry.ts'];
const ADAPTERS = ['../adapters/system-clock.ts'];
const USERS = ['../../infra/app.ts', '../../functions/orders/order.ts', '../../cli/main.ts', '../../test/synth.ts'];
const VALUES = ['../record/units.ts', '../errors.ts', '../assert-never.ts', 'node:crypto', 'valibot'];

test.each([
  { folderOf: 'shared/decide', never: [...SDKS, ...WORLD, ...RUNTIME, ...ADAPTERS, ...USERS], may: VALUES },
  { folderOf: 'shared/record', never: [...SDKS, ...WORLD, ...RUNTIME, ...ADAPTERS, ...USERS], may: VALUES },
  { folderOf: 'shared/runtime', never: [...SDKS, ...ADAPTERS, ...USERS], may: [...VALUES, ...RUNTIME] },
  { folderOf: 'shared/adapters', never: USERS, may: [...VALUES, ...SDKS, ...RUNTIME, ...ADAPTERS] },
])('lint holds the arrows of $folderOf: values, types, namespaces and re-exports alike', ({ folderOf, never, may }) => {
  const all = modules(folderOf, never);

  expect(forbidden(all)).toEqual(Object.keys(all));
  expect(forbidden(modules(folderOf, may))).toEqual([]);
});
