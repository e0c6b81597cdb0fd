import { basename, resolve } from 'node:path';
import { type BuildFailure, context } from 'esbuild';
import { BUNDLE_FILE, type BundlingOptions, quickSettings } from '../../constructs/lambda-bundle.ts';
import { LocalCloudError } from '../local-cloud-error.ts';

/** The file with the handler. */
export const HANDLER_FILE = `${BUNDLE_FILE}.mjs`;

/** A file of a function's code. */
export interface BuiltFile {
  readonly name: string;
  readonly contents: Uint8Array;
}

/** Bundles a handler again and again, as {@link quickSettings} say. */
export interface HandlerBuild {
  /** Absolute paths of the modules that are the user's own. */
  readonly inputs: ReadonlySet<string>;
  /** @throws LocalCloudError with the compiler's message, on one line */
  build(): Promise<readonly BuiltFile[]>;
  dispose(): Promise<void>;
}

/**
 * @param entry - relative to `folder`, the app's
 * @throws LocalCloudError with the compiler's message, on one line
 */
export async function handlerBuild(folder: string, entry: string, options: BundlingOptions): Promise<HandlerBuild> {
  const building = await context({
    ...options,
    ...quickSettings(folder),
    entryPoints: { [BUNDLE_FILE]: resolve(folder, entry) },
  });
  const inputs = new Set<string>();
  const bundle = async () => {
    const { outputFiles, metafile } = await building.rebuild().catch((failure: BuildFailure) => {
      throw new LocalCloudError(firstMessage(failure));
    });
    inputs.clear();
    for (const path of ownModules(Object.keys(metafile.inputs), folder)) inputs.add(path);
    return outputFiles;
  };
  try {
    await bundle();
  } catch (error) {
    await building.dispose();
    throw error;
  }
  return {
    inputs,
    build: async () => (await bundle()).map(({ path, contents }) => ({ name: basename(path), contents })),
    dispose: () => building.dispose(),
  };
}

/** Those outside node_modules. */
export function ownModules(inputs: readonly string[], folder: string): string[] {
  return inputs.filter((path) => !path.includes('node_modules/')).map((path) => resolve(folder, path));
}

function firstMessage({ errors: [first], message }: BuildFailure): string {
  if (first === undefined) return message.replaceAll('\n', ' ');
  const { location, text } = first;
  return location === null ? text : `${location.file}:${location.line}:${location.column + 1} ${text}`;
}
