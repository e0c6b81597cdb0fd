import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AssetHashType, DockerImage, type ILocalBundling } from 'aws-cdk-lib';
import { type AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import { BUNDLE_FILE, type BundledFile, type BundlingOptions, lambdaBundle, quickBundle } from './lambda-bundle.ts';

export { BUNDLE_FILE, type BundlingOptions };

/**
 * The Lambda bundle of a TypeScript handler: ESM, minified with names kept (dead letters have error names), external source
 * maps, AWS SDK included. It is split, so that dynamic imports (the Kafka client) do not slow a cold start. No Docker. The same
 * sources give the same bytes.
 *
 * @param entry - path of the handler's module, relative to the working directory
 * @param isQuick - one file that is not minified, for `lockstep dev`
 */
export function handlerCode(entry: string, options: BundlingOptions = {}, isQuick = false): AssetCode {
  const path = resolve(entry);
  return Code.fromAsset(dirname(path), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: { image: DockerImage.fromRegistry('none'), local: new EsbuildBundling(path, options, isQuick) },
  });
}

/** What was bundled for this handler; `undefined` where synth bundles nothing, as `cdk list` does. */
export function bundledFiles(entry: string, options: BundlingOptions = {}): readonly BundledFile[] | undefined {
  return bundled.get(keyOf(resolve(entry), options));
}

/** By entry and options: CDK bundles equal ones once. */
const bundled = new Map<string, readonly BundledFile[]>();

function keyOf(path: string, options: BundlingOptions): string {
  return JSON.stringify([path, options]);
}

/** CDK calls it before it would start Docker. Its fields are part of the key by which CDK recognises a staged asset. */
class EsbuildBundling implements ILocalBundling {
  readonly entry: string;
  readonly options: BundlingOptions;
  readonly isQuick: boolean;

  constructor(entry: string, options: BundlingOptions, isQuick: boolean) {
    this.entry = entry;
    this.options = options;
    this.isQuick = isQuick;
  }

  tryBundle(outputDir: string): boolean {
    const files = (this.isQuick ? quickBundle : lambdaBundle)(this.entry, this.options);
    bundled.set(keyOf(this.entry, this.options), files);
    for (const { path, contents } of files) {
      const target = join(outputDir, path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, contents);
    }
    return true;
  }
}
