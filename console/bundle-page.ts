import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles the page from its sources: only in the repository. */
export async function bundlePage(): Promise<{ readonly js: Buffer; readonly css: Buffer; readonly html: Buffer }> {
  const path = (name: string) => fileURLToPath(new URL(`./page/${name}`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: { app: path('main.tsx') },
    outdir: path(''),
    bundle: true,
    minify: true,
    write: false,
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
  return { js: output('.js'), css: output('.css'), html: await readFile(path('index.html')) };
}
