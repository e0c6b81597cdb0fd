import { existsSync, globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { appEntry, type CdkApp } from './cdk-app.ts';
import { ownModules } from './handler-builds.ts';

/** The user's own modules that an app is made of, and its cdk.json: a change of one may change a stack. Absolute paths. */
export async function appInputs(app: CdkApp): Promise<string[]> {
  const { folder } = app;
  const settings = join(folder, 'cdk.json');
  const entry = appEntry(app);
  const modules = entry === undefined ? everyModule(folder) : await modulesOf(folder, entry);
  return [...modules, settings].filter((path) => existsSync(path));
}

async function modulesOf(folder: string, entry: string): Promise<string[]> {
  try {
    const { metafile } = await build({
      absWorkingDir: folder,
      entryPoints: [entry],
      bundle: true,
      packages: 'external',
      platform: 'node',
      write: false,
      metafile: true,
      logLevel: 'silent',
    });
    return ownModules(Object.keys(metafile.inputs), folder);
  } catch {
    // It does not compile: nobody can say what it imports. Any save may mend it.
    return everyModule(folder);
  }
}

function everyModule(folder: string): string[] {
  const isElsewhere = (path: string) => /(^|[\\/])(node_modules|cdk\.out|dist|\..+)$/.test(path);
  return globSync('**/*.{ts,mts,cts,js,mjs,cjs}', { cwd: folder, exclude: isElsewhere }).map((path) =>
    resolve(folder, path),
  );
}
