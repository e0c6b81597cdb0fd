import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { type BundledFile, lambdaBundle } from '../../../infra/constructs/lambda-bundle.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'lockstep-bundled-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function written(files: readonly { readonly path: string; readonly contents: Uint8Array | string }[]): string {
  const root = folder();
  for (const { path, contents } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    // Vitest would look for the sources of a map.
    writeFileSync(
      join(root, path),
      Buffer.from(contents)
        .toString()
        .replace(/^\/\/# sourceMappingURL=.*$/m, ''),
    );
  }
  return root;
}

/** Bundles `handler.ts` of these sources. */
function bundled(sources: Readonly<Record<string, string>>): readonly BundledFile[] {
  const root = written([
    { path: 'package.json', contents: '{"type":"module"}' },
    ...Object.entries(sources).map(([path, contents]) => ({ path, contents })),
  ]);
  return lambdaBundle(join(root, 'handler.ts'));
}

const load = (root: string, path: string) => import(pathToFileURL(join(root, path)).href);

/** Of each file the files beside it that are loaded with it. */
function loadedWith(files: readonly BundledFile[], path: string): readonly string[] {
  const text = Buffer.from(files.find((file) => file.path === path)?.contents ?? []).toString();
  return [...text.matchAll(/(?:from|import)"(\.[^"]+)"/g)].flatMap(([, other]) => other ?? []);
}

const SHARED = 'export class Refused extends Error {} export const seen: string[] = [];';
const LATER =
  "import { Refused, seen } from './shared.ts'; export const refuse = () => { seen.push('later'); throw new Refused(); };";
const ALSO_LATER = "import { seen } from './other.ts'; export const look = () => seen;";

test('what is loaded at the start is one file, and what is loaded later finds the very same things in it', async () => {
  const files = bundled({
    'shared.ts': SHARED,
    'other.ts': "export { seen } from './shared.ts';",
    'later.ts': LATER,
    'also-later.ts': ALSO_LATER,
    'handler.ts': `
      import { Refused } from './shared.ts';
      import { seen } from './other.ts';
      export const handler = async () => {
        const { refuse } = await import('./later.ts');
        const { look } = await import('./also-later.ts');
        try { refuse(); } catch (error) { return [error instanceof Refused, seen, look()]; }
      };`,
  });

  expect(loadedWith(files, 'index.mjs')).toEqual([]);
  const { handler } = await load(written(files), 'index.mjs');
  expect(await handler()).toEqual([true, ['later'], ['later']]);
});

test('names survive: of functions and classes, at the start and later', async () => {
  const files = bundled({
    'shared.ts': SHARED,
    'later.ts': 'import { Refused } from "./shared.ts"; export function refuse() { return new Refused(); }',
    'handler.ts': `
      import { Refused } from './shared.ts';
      export const handler = async () => {
        const { refuse } = await import('./later.ts');
        return [Refused.name, refuse.name, refuse().constructor.name];
      };`,
  });

  const { handler } = await load(written(files), 'index.mjs');
  expect(await handler()).toEqual(['Refused', 'refuse', 'Refused']);
});

test('a handler that awaits at its top what shares something with it does not wait for itself', async () => {
  const files = bundled({
    'shared.ts': SHARED,
    'later.ts': LATER,
    'handler.ts': `
      import { seen } from './shared.ts';
      const { refuse } = await import('./later.ts');
      export const handler = async () => { try { refuse(); } catch { return seen; } };`,
  });

  const { handler } = await load(written(files), 'index.mjs');
  expect(await handler()).toEqual(['later']);
});

test('the same sources give the same bytes, with no trace of where they were bundled', () => {
  const entry = join(import.meta.dirname, '../../../functions/payments/handler.ts');

  const once = lambdaBundle(entry);

  expect(lambdaBundle(entry)).toEqual(once);
  expect(once.filter(({ contents }) => Buffer.from(contents).includes(tmpdir()))).toEqual([]);
});

test('of a consumer every file can be loaded, with what it asks for in others', async () => {
  const root = written(lambdaBundle(join(import.meta.dirname, '../../../functions/payments/handler.ts')));
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.mjs'));

  expect(files).toContain('index.mjs');
  for (const path of files) await expect(load(root, path), path).resolves.toBeTypeOf('object');
});
