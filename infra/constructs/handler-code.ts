import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { AssetHashType, DockerImage, type ILocalBundling } from 'aws-cdk-lib';
import { type AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import { type BuildOptions, buildSync } from 'esbuild';

/** What of esbuild a consumer may set; the rest is what Lambda and Node need. */
export type BundlingOptions = Pick<BuildOptions, 'alias' | 'define' | 'external' | 'loader' | 'tsconfig'>;

/** The bundle's handler: file `index.mjs`, export as named. */
export const BUNDLE_FILE = 'index';

/**
 * The Lambda bundle of a TypeScript handler: ESM, split so that what is imported dynamically (the Kafka client) costs no cold
 * start, minified with names kept (error names reach letters), external source maps, AWS SDK included. No Docker; the same
 * sources give the same bytes.
 *
 * @param entry - path of the handler's module, relative to the working directory
 */
export function handlerCode(entry: string, options: BundlingOptions = {}): AssetCode {
  const path = resolve(entry);
  return Code.fromAsset(dirname(path), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: { image: DockerImage.fromRegistry('none'), local: new EsbuildBundling(path, options) },
  });
}

/** CDK asks it before it would start Docker; its fields are part of the key by which CDK recognises an asset it has staged. */
class EsbuildBundling implements ILocalBundling {
  readonly entry: string;
  readonly options: BundlingOptions;

  constructor(entry: string, options: BundlingOptions) {
    this.entry = entry;
    this.options = options;
  }

  tryBundle(outputDir: string): boolean {
    const projectRoot = nearestPackage(dirname(this.entry));
    // A fixed virtual folder: esbuild writes paths relative to it into the bytes, and CDK's own output folder differs from run to run.
    const virtualDir = join(projectRoot, '.bundle');
    const { outputFiles } = buildSync({
      ...this.options,
      absWorkingDir: projectRoot,
      entryPoints: [{ in: this.entry, out: BUNDLE_FILE }],
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
    for (const { path, contents } of outputFiles) {
      const target = join(outputDir, relative(virtualDir, path));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, contents);
    }
    return true;
  }
}

function nearestPackage(folder: string): string {
  if (existsSync(join(folder, 'package.json')) || dirname(folder) === folder) return folder;
  return nearestPackage(dirname(folder));
}
