/** `npm run build`: puts the page into the package, beside the compiled server. */
import { mkdir, writeFile } from 'node:fs/promises';
import { bundlePage } from './bundle-page.ts';

const { js, css, html } = await bundlePage();
const folder = new URL('../dist/console/page/', import.meta.url);
await mkdir(folder, { recursive: true });
await Promise.all([
  writeFile(new URL('app.js', folder), js),
  writeFile(new URL('app.css', folder), css),
  writeFile(new URL('index.html', folder), html),
]);
