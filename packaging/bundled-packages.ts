import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { reachable } from '../infra/constructs/reachable.ts';

/** The AWS SDK's clients for what a consumer rarely does. */
const CLIENTS = [
  '@aws-sdk/client-kafka',
  '@aws-sdk/client-lambda',
  '@aws-sdk/client-secrets-manager',
  '@aws-sdk/client-sqs',
];
const LIBRARIES = ['@opentelemetry/api', 'valibot'];
/**
 * Packages of which Lockstep uses a small part. That part is in the files of `lockstep`. As dependencies they would be 12 MB of
 * every install.
 */
export const BUNDLED: readonly string[] = [...CLIENTS, ...LIBRARIES];

/** The folder of what several modules share. */
const CHUNKS = 'packages';

/**
 * Replaces the modules that import one of {@link BUNDLED} by ones that contain what they use of it, together with what that package
 * itself imports. What several of them use is in files of `dist/packages`.
 *
 * A client has its own copy of the SDK's core. A handler bundle that shared one with the client for DynamoDB would load
 * more of it at each cold start: esbuild splits by file, and the core's index files lead to all of them.
 *
 * @param dist - absolute path of the modules
 * @param modules - their paths, relative to `dist`
 * @param dependencies - of the package `lockstep`: they stay imports
 * @returns absolute paths of the modules of packages that are part of a file now
 */
export async function bundlePackages(
  dist: string,
  modules: readonly string[],
  dependencies: Dependencies,
): Promise<string[]> {
  const bundle = async (packages: readonly string[], settings: BuildOptions) => {
    const { metafile } = await build({
      ...settings,
      absWorkingDir: dist,
      entryPoints: modules.filter((path) => importsOneOf(packages, join(dist, path))),
      outdir: dist,
      outbase: dist,
      allowOverwrite: true,
      bundle: true,
      splitting: true,
      chunkNames: `${CHUNKS}/[name]-[hash]`,
      format: 'esm',
      platform: 'node',
      target: 'node22',
      mainFields: ['module', 'main'],
      legalComments: 'none',
      logLevel: 'error',
      metafile: true,
      plugins: [onlyWhatIsMissing(packages, dependencies)],
    });
    return inputsOf(metafile, dist);
  };
  return [
    ...(await bundle(CLIENTS, { minifyWhitespace: true, minifySyntax: true })),
    // With them our own options are checked: a stack trace shows lines of that module.
    ...(await bundle(LIBRARIES, {})),
  ];
}

type Dependencies = Readonly<Record<string, string>>;

/** Deletes files that nothing imports: a module that loads one on demand may be left out. @returns what is in the others */
function inputsOf({ outputs }: Metafile, dist: string): string[] {
  const entries = Object.keys(outputs).filter((path) => !path.startsWith(`${CHUNKS}/`));
  const used = reachable(
    entries,
    (path) => outputs[path]?.imports.flatMap((one) => (one.external ? [] : one.path)) ?? [],
  );
  return Object.entries(outputs).flatMap(([path, { inputs }]) => {
    if (!used.has(path)) rmSync(join(dist, path));
    const isPart = (name: string) => used.has(path) && (inputs[name]?.bytesInOutput ?? 0) > 0;
    return Object.keys(inputs)
      .filter(isPart)
      .map((name) => resolve(dist, name));
  });
}

function importsOneOf(packages: readonly string[], path: string): boolean {
  const text = readFileSync(path, 'utf8');
  return packages.some((name) => text.includes(`from '${name}'`));
}

/** Our own modules stay files, and dependencies stay imports. */
function onlyWhatIsMissing(packages: readonly string[], dependencies: Dependencies): Plugin {
  return {
    name: 'only what is missing',
    setup({ onResolve }) {
      onResolve({ filter: /./ }, ({ path, kind, importer }) => {
        const isPartOfOne = importer.includes('/node_modules/') && !(packageOf(path) in dependencies);
        return kind === 'entry-point' || packages.includes(path) || isPartOfOne ? undefined : { path, external: true };
      });
    },
  };
}

function packageOf(specifier: string): string {
  const parts = specifier.startsWith('@') ? 2 : 1;
  return specifier.split('/').slice(0, parts).join('/');
}
