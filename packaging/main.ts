/** Part of `npm run build`: makes of what the compiler wrote what the package ships. */
import { copyFileSync, globSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { declarationsOf, writeCommonJs } from './commonjs.ts';

const REPOSITORY = resolve(import.meta.dirname, '..');
const DIST = join(REPOSITORY, 'dist');
/** What the local cloud needs beside its modules. */
const ASSETS = 'infra/local/{ministack*,kafka*,pom.xml}';

await writeCommonJs(DIST);
for (const path of globSync(ASSETS, { cwd: REPOSITORY })) copyFileSync(join(REPOSITORY, path), join(DIST, path));
// Declarations of modules that no entry point names.
const used = declarationsOf(DIST);
for (const path of globSync('{shared,public,infra,cli,console,functions}/**/*.d.ts', { cwd: DIST }))
  if (!used.has(join(DIST, path))) rmSync(join(DIST, path));
