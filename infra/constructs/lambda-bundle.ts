import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, buildSync, type OutputFile } from 'esbuild';
import { separatePackages } from './separate-packages.ts';
import { type BundledFile, startInOneFile } from './start-in-one-file.ts';

export type { BundledFile };

/** The esbuild options that a consumer may set. Lambda and Node need the others as they are. */
export type BundlingOptions = Pick<BuildOptions, 'alias' | 'define' | 'external' | 'loader' | 'tsconfig'>;

/** The bundle's handler: file `index.mjs`, export as named. */
export const BUNDLE_FILE = 'index';

/**
 * Bundles a handler for Lambda. The same sources give the same bytes. Clients and credential providers of the AWS SDK that are
 * loaded on demand are separate packages; everything that is loaded at the start is one file.
 *
 * @param entry - absolute path of the handler's module
 * @throws with esbuild's messages when it does not compile
 */
export function lambdaBundle(entry: string, options: BundlingOptions = {}): readonly BundledFile[] {
  const projectRoot = nearestPackage(dirname(entry));
  const external = options.external ?? [];
  const build = (
    entries: Readonly<Record<string, string>>,
    settings: Pick<BuildOptions, 'external' | 'minify' | 'sourcemap'> = {},
  ) => buildSync({ external, ...options, ...bundleSettings(projectRoot), entryPoints: { ...entries }, ...settings });
  // Only which modules there are is asked here.
  const whole = build({ [BUNDLE_FILE]: entry }, { minify: false, sourcemap: false });
  const separate = separatePackages(whole.metafile, `${BUNDLE_FILE}.mjs`);
  const packages = Object.fromEntries(
    [...separate].map(([name, path]) => [join('node_modules', name, BUNDLE_FILE), join(projectRoot, path)]),
  );
  const bundle = build({ [BUNDLE_FILE]: entry }, { external: [...external, ...separate.keys()] });
  const beside = bundledOnce(JSON.stringify([options, projectRoot, packages]), () =>
    separate.size === 0 ? [] : filesOf(build(packages), projectRoot),
  );
  return [
    ...startInOneFile({
      files: filesOf(bundle, projectRoot),
      metafile: bundle.metafile,
      entry: `${BUNDLE_FILE}.mjs`,
      settings: { ...bundleSettings(projectRoot), external: [...external, ...separate.keys()] },
    }),
    ...beside,
    ...[...separate.keys()].map((name) => ({
      path: join('node_modules', name, 'package.json'),
      contents: Buffer.from(JSON.stringify({ name, type: 'module', exports: `./${BUNDLE_FILE}.mjs` })),
    })),
  ];
}

/** The packages beside a handler are those of most others, too. */
const bundledPackages = new Map<string, readonly BundledFile[]>();

function bundledOnce(key: string, bundle: () => readonly BundledFile[]): readonly BundledFile[] {
  const files = bundledPackages.get(key) ?? bundle();
  bundledPackages.set(key, files);
  return files;
}

/**
 * A bundle in one file, made in a quarter of the time: for `lockstep dev`, which bundles again with each save.
 *
 * @throws with esbuild's messages when it does not compile
 */
export function quickBundle(entry: string, options: BundlingOptions = {}): readonly BundledFile[] {
  const projectRoot = nearestPackage(dirname(entry));
  return filesOf(
    buildSync({ ...options, ...quickSettings(projectRoot), entryPoints: { [BUNDLE_FILE]: entry } }),
    projectRoot,
  );
}

/** Of {@link quickBundle}. Wherever it runs, its source map leads to the user's files, and names are theirs. */
export function quickSettings(projectRoot: string) {
  return {
    ...bundleSettings(projectRoot),
    splitting: false,
    minify: false,
    // What is shorter is sent and loaded sooner.
    minifyWhitespace: true,
    sourceRoot: `${pathToFileURL(virtualFolder(projectRoot))}/`,
  } satisfies BuildOptions;
}

function filesOf(
  { outputFiles }: { readonly outputFiles: readonly OutputFile[] },
  projectRoot: string,
): readonly BundledFile[] {
  return outputFiles.map(({ path, contents }) => ({ path: relative(virtualFolder(projectRoot), path), contents }));
}

/** A fixed path: esbuild writes paths relative to it into the bundle, and CDK's own output folder differs from run to run. */
function virtualFolder(projectRoot: string): string {
  return join(projectRoot, '.bundle');
}

/** What every bundle for Lambda has in common. @param projectRoot - its paths are relative to it */
export function bundleSettings(projectRoot: string) {
  return {
    absWorkingDir: projectRoot,
    outdir: virtualFolder(projectRoot),
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    mainFields: ['module', 'main'],
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    minify: true,
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    // CommonJS modules in the bundle require `events` and others: https://github.com/evanw/esbuild/issues/1921
    banner: {
      js: "import{createRequire as lockstepCreateRequire}from'node:module';const require=lockstepCreateRequire(import.meta.url);",
    },
    logLevel: 'silent', // errors are thrown with their texts
  } satisfies BuildOptions;
}

function nearestPackage(folder: string): string {
  if (existsSync(join(folder, 'package.json')) || dirname(folder) === folder) return folder;
  return nearestPackage(dirname(folder));
}
