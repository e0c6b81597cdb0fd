import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { ENTRY_POINTS, modulesOf } from './modules.ts';

/** It has no build for `require`, so its code is copied into the module that imports it. */
const ES_MODULES_ONLY = '@middy/core';

/**
 * Writes `cjs`, the package for programs that load it with `require`: jest, and TypeScript that is compiled to CommonJS, as in an
 * app of `cdk init`. Node can load ES modules by `require`, but jest cannot. Each module that an entry point loads gets a CommonJS
 * twin, and so do its declarations.
 *
 * @param dist - absolute path of the folder that `tsc -p tsconfig.build.json` wrote
 */
export async function writeCommonJs(dist: string): Promise<void> {
  const outdir = join(dist, 'cjs');
  await build({
    absWorkingDir: dist,
    entryPoints: await modulesOf(dist, ENTRY_POINTS),
    outdir,
    outbase: dist,
    bundle: true,
    logLevel: 'error',
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    // Jest has no `import()` without a flag.
    supported: { 'dynamic-import': false },
    plugins: [oneFileEach, placeOfTheTwin(dist, outdir)],
  });
  for (const path of declarationsOf(dist)) {
    const target = join(outdir, relative(dist, path));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(path, target);
  }
  writeFileSync(join(outdir, 'package.json'), '{"type":"commonjs"}\n');
}

/** Modules import one another as files, so that the entry points share them. */
const oneFileEach: Plugin = {
  name: 'one file each',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ path, kind, importer }) => {
      const isBundled = kind === 'entry-point' || path === ES_MODULES_ONLY || importer.includes('/node_modules/');
      return isBundled ? undefined : { path, external: true };
    });
  },
};

/** `import.meta` stays that of the ES module: files beside it (the relay's, for its bundle) are found from there. */
function placeOfTheTwin(dist: string, outdir: string): Plugin {
  return {
    name: 'place of the twin',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        if (path.includes('/node_modules/')) return undefined;
        const here = dirname(join(outdir, relative(dist, path)));
        const folder = `require('node:path').resolve(__dirname, ${JSON.stringify(relative(here, dirname(path)))})`;
        const contents = readFileSync(path, 'utf8')
          .replaceAll('import.meta.dirname', folder)
          .replaceAll('import.meta.filename', `(${folder} + ${JSON.stringify(`/${basename(path)}`)})`);
        return { contents };
      });
    },
  };
}

/** Absolute paths of the declarations of the entry points, and of all that these name. */
export function declarationsOf(dist: string): ReadonlySet<string> {
  return declarations(ENTRY_POINTS.map((path) => join(dist, `${path}.d.ts`)));
}

/** Declarations, and those that they import from. */
function declarations(paths: readonly string[], seen = new Set<string>()): ReadonlySet<string> {
  for (const path of paths) {
    if (seen.has(path)) continue;
    seen.add(path);
    const imported = [...readFileSync(path, 'utf8').matchAll(/(?:from |import\()'(\.[^']+)\.[jt]s'/g)];
    declarations(
      imported.map(([, name = '']) => resolve(dirname(path), `${name}.d.ts`)),
      seen,
    );
  }
  return seen;
}
