/** Part of `npm run build`: makes of what the compiler wrote what the packages ship. */
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { bundlePage } from '../console/bundle-page.ts';
import { bundlePackages } from './bundled-packages.ts';
import { declarationsOf, writeCommonJs } from './commonjs.ts';
import { licenses } from './licenses.ts';
import { ENTRY_POINTS, FUNCTIONS, modulesOf } from './modules.ts';
import { writeTools } from './tools-package.ts';

const REPOSITORY = resolve(import.meta.dirname, '..');
/** What the tools read beside their modules: files of the local cloud, and what the console says about an alarm. */
const ASSETS = ['infra/local/{ministack*,kafka*,pom.xml}', 'docs/runbook.md', 'LICENSE'];
/** In both packages: what is bundled into their files. */
const LICENSES = 'bundled-packages.txt';

/**
 * @param dist - absolute path of the folder that `tsc -p tsconfig.build.json` wrote, inside the repository. It becomes that of
 * the package `lockstep`
 * @param tools - absolute path of the folder that becomes that of `lockstep-tools`
 */
export async function makePackages(dist: string, tools: string): Promise<void> {
  const own = await modulesOf(dist, [...ENTRY_POINTS, ...FUNCTIONS]);
  await writeTools(dist, new Set(own), tools);
  const page = await bundlePage();
  write(join(tools, 'console/page/app.js'), page.js);
  write(join(tools, 'console/page/app.css'), page.css);
  write(join(tools, 'console/page/index.html'), page.html);
  write(join(tools, LICENSES), licenses(page.modules));
  for (const path of globSync(ASSETS, { cwd: REPOSITORY, exclude: ['**/*.ts'] })) {
    mkdirSync(dirname(join(tools, path)), { recursive: true });
    copyFileSync(join(REPOSITORY, path), join(tools, path));
  }
  // Modules of the tools, and declarations of modules that no entry point names.
  const used = new Set([...own.map((path) => join(dist, path)), ...declarationsOf(dist)]);
  for (const path of globSync('**/*.{js,d.ts}', { cwd: dist }).map((name) => join(dist, name)))
    if (!used.has(path)) rmSync(path);
  const { dependencies } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
  const bundled = await bundlePackages(dist, own, dependencies);
  write(join(dist, LICENSES), licenses(bundled));
  await writeCommonJs(dist);
}

function write(path: string, contents: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}

if (import.meta.main) await makePackages(join(REPOSITORY, 'dist'), join(REPOSITORY, 'packaging/tools/dist'));
