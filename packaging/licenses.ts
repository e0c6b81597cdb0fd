import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const INTRODUCTION = 'Files of this package contain parts of the following packages, under these licences.\n';

/**
 * The page that names the packages whose code is part of ours, with their versions, and each licence once.
 *
 * @param modules - absolute paths; those outside of node_modules are our own
 * @throws where a package has no licence
 */
export function licenses(modules: readonly string[]): string {
  const folders = new Set(modules.flatMap((path) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const packages = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return { title: `${name} ${version} (${license})`, text: licenseText(folder) };
  });
  const parts = [...Map.groupBy(packages, ({ text }) => text)].map(
    ([text, those]) => `${those.map(({ title }) => title).join('\n')}\n\n${text}\n`,
  );
  return [INTRODUCTION, ...parts].join(`\n${'-'.repeat(80)}\n\n`);
}

function licenseText(folder: string): string {
  const file = ['LICENSE', 'LICENSE.md'].map((name) => join(folder, name)).find((path) => existsSync(path));
  if (file === undefined) throw new Error(`${folder} has no licence file, so its code cannot be shipped.`);
  return readFileSync(file, 'utf8').trim();
}
