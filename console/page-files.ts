import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** What a browser gets, by path. */
export type PageFiles = ReadonlyMap<string, { readonly type: string; readonly body: Buffer }>;

const TYPES = {
  '/': 'text/html; charset=utf-8',
  '/app.js': 'text/javascript; charset=utf-8',
  '/app.css': 'text/css; charset=utf-8',
} as const;

/** The page: from the package as it was built, in the repository bundled from its sources. */
export async function pageFiles(): Promise<PageFiles> {
  const built = new URL('./page/', import.meta.url);
  const files = existsSync(new URL('app.js', built))
    ? {
        js: await readFile(new URL('app.js', built)),
        css: await readFile(new URL('app.css', built)),
        html: await readFile(new URL('index.html', built)),
      }
    : await (await import('./bundle-page.ts')).bundlePage();
  return new Map([
    ['/', { type: TYPES['/'], body: files.html }],
    ['/app.js', { type: TYPES['/app.js'], body: files.js }],
    ['/app.css', { type: TYPES['/app.css'], body: files.css }],
  ]);
}
