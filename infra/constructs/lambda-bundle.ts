import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type BuildOptions, buildSync } from 'esbuild';

/** What of esbuild a consumer may set; the rest is what Lambda and Node need. */
export type BundlingOptions = Pick<BuildOptions, 'alias' | 'define' | 'external' | 'loader' | 'tsconfig'>;

/** The bundle's handler: file `index.mjs`, export as named. */
export const BUNDLE_FILE = 'index';

/** A file of a bundle. */
export interface BundledFile {
  /** Relative to the bundle's folder. */
  readonly path: string;
  readonly contents: Uint8Array;
}

/**
 * Bundles a handler for Lambda: the same sources give the same bytes.
 *
 * @param entry - absolute path of the handler's module
 * @throws with esbuild's texts when it does not compile
 */
export function lambdaBundle(entry: string, options: BundlingOptions = {}): readonly BundledFile[] {
  const projectRoot = nearestPackage(dirname(entry));
  // A fixed virtual folder: esbuild writes paths relative to it into the bytes, and CDK's own output folder differs from run to run.
  const virtualDir = join(projectRoot, '.bundle');
  const { outputFiles } = buildSync({
    ...options,
    absWorkingDir: projectRoot,
    entryPoints: [{ in: entry, out: BUNDLE_FILE }],
    outdir: virtualDir,
    write: false,
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
    // CommonJS inside the bundle asks for `events` and the like: https://github.com/evanw/esbuild/issues/1921
    banner: {
      js: "import{createRequire as lockstepCreateRequire}from'node:module';const require=lockstepCreateRequire(import.meta.url);",
    },
    logLevel: 'silent', // errors are thrown with their texts
  });
  return outputFiles.map(({ path, contents }) => ({ path: relative(virtualDir, path), contents }));
}

function nearestPackage(folder: string): string {
  if (existsSync(join(folder, 'package.json')) || dirname(folder) === folder) return folder;
  return nearestPackage(dirname(folder));
}
