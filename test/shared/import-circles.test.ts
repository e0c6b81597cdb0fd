import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const SHARED = resolve('shared');

/** Files by path, with the paths that each imports. */
type Imports = ReadonlyMap<string, readonly string[]>;

/** Relative paths that a source names in `import`, `export … from` and `import()`. */
function importedBy(source: string, { types }: { types: boolean }): string[] {
  const found: string[] = [];
  for (const [, only, from] of source.matchAll(/^(?:import|export)\s+(type\s)?[^;'"]*?from\s+'(\.[^']+)'/gm))
    if (from !== undefined && (types || only === undefined)) found.push(from);
  for (const [, from] of source.matchAll(/^import\s+'(\.[^']+)'/gm)) if (from !== undefined) found.push(from);
  if (types)
    for (const [, from] of source.matchAll(/\bimport\('(\.[^']+)'\)/g)) if (from !== undefined) found.push(from);
  return found;
}

function importsOf(root: string, options: { types: boolean }): Imports {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  return new Map(
    paths.map((path) => {
      const file = join(root, path);
      const imported = importedBy(readFileSync(file, 'utf8'), options);
      return [path, imported.map((from) => relative(root, resolve(dirname(file), from)))];
    }),
  );
}

/** Paths that can be reached from themselves, each circle once, sorted. */
function circlesIn(imports: Imports): string[][] {
  const reached = new Map([...imports.keys()].map((path) => [path, reachableFrom(path, imports)]));
  const circles = [...imports.keys()].flatMap((path) => {
    const together = [...(reached.get(path) ?? [])].filter((other) => reached.get(other)?.has(path));
    return together.length === 0 ? [] : [together.sort().join(' ')];
  });
  return [...new Set(circles)].sort().map((circle) => circle.split(' '));
}

function reachableFrom(start: string, imports: Imports): ReadonlySet<string> {
  const reached = new Set<string>(imports.get(start));
  for (const path of reached) for (const next of imports.get(path) ?? []) reached.add(next);
  return reached;
}

describe('the search for circles', () => {
  test('sees every way to import', () => {
    const source = [
      "import { a } from './a.ts';",
      "import {\n  type B,\n  b,\n} from '../b.ts';",
      "import type { C } from './c.ts';",
      "export { d } from './d.ts';",
      "export type { E } from './e.ts';",
      "import './f.ts';",
      "type G = import('./g.ts').G;",
      "import { h } from 'node:http';",
    ].join('\n');

    expect(importedBy(source, { types: false })).toEqual(['./a.ts', '../b.ts', './d.ts', './f.ts']);
    expect(importedBy(source, { types: true }).sort()).toEqual(
      ['../b.ts', './a.ts', './c.ts', './d.ts', './e.ts', './f.ts', './g.ts'].sort(),
    );
  });

  test('names each circle once', () => {
    const imports = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['a']],
      ['d', ['a']],
      ['e', ['e']],
    ]);

    expect(circlesIn(imports)).toEqual([['a', 'b', 'c'], ['e']]);
  });
});

test('no file of shared/ imports itself over others', () => {
  expect(circlesIn(importsOf(SHARED, { types: false }))).toEqual([]);
});

test('no file of shared/ needs its own types to name those of others', () => {
  expect(circlesIn(importsOf(SHARED, { types: true }))).toEqual([]);
});
