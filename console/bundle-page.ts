import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A page, and the absolute paths of the modules that it is made of. */
interface Page {
  readonly js: Buffer;
  readonly css: Buffer;
  readonly html: Buffer;
  readonly modules: readonly string[];
}

/** Bundles the page from its sources: only in the repository. */
export async function bundlePage(): Promise<Page> {
  const path = (name: string) => fileURLToPath(new URL(`./page/${name}`, import.meta.url));
  const { outputFiles, metafile } = await build({
    entryPoints: { app: path('main.tsx') },
    outdir: path(''),
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const output = (ending: string) => {
    const file = outputFiles.find((one) => one.path.endsWith(ending));
    if (file === undefined) throw new Error(`the page has no ${ending}`);
    return Buffer.from(file.contents);
  };
  return {
    js: output('.js'),
    css: output('.css'),
    html: await readFile(path('index.html')),
    modules: Object.keys(metafile.inputs).map((name) => resolve(name)),
  };
}
