import { dirname, join, relative, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { COMMANDS, modulesOf } from './modules.ts';

/**
 * Writes the modules of the package `lockstep-tools`: what the command loads and the package `lockstep` does not. What both need
 * is imported from `lockstep/internal/…`.
 *
 * @param dist - absolute path of the folder that `tsc -p tsconfig.build.json` wrote
 * @param own - the modules of the package `lockstep`, relative to `dist`
 * @param outdir - absolute path of the folder of the tools' modules
 */
export async function writeTools(dist: string, own: ReadonlySet<string>, outdir: string): Promise<void> {
  const modules = (await modulesOf(dist, COMMANDS)).filter((path) => !own.has(path));
  await build({
    absWorkingDir: dist,
    entryPoints: modules.map((path) => join(dist, path)),
    outdir,
    outbase: dist,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    logLevel: 'error',
    plugins: [acrossPackages(dist, own)],
  });
}

/** Each module stays a file. Imports of modules of the other package name that package. */
function acrossPackages(dist: string, own: ReadonlySet<string>): Plugin {
  return {
    name: 'across packages',
    setup({ onResolve }) {
      onResolve({ filter: /./ }, ({ path, kind, importer }) => {
        if (kind === 'entry-point') return undefined;
        const module = path.startsWith('.') ? relative(dist, resolve(dirname(importer), path)) : path;
        return { path: own.has(module) ? `lockstep/internal/${module}` : path, external: true };
      });
    },
  };
}
