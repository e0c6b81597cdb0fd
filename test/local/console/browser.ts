import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';
import { LOCAL_FOLDER } from '../../../infra/local/local-folder.ts';

/** Of the package `@sparticuz/chromium`: a new version is unpacked anew. */
const VERSION = '153.0.0';
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** A headless Chromium: the one that LOCKSTEP_BROWSER names, one that is installed, or on Linux the one that npm has brought. */
export async function launchBrowser(): Promise<Browser> {
  // As root, Chromium has no sandbox; what it opens here is our own page.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--force-color-profile=srgb'];
  return chromium.launch({ executablePath: await browserFile(), args });
}

async function browserFile(): Promise<string> {
  const named = process.env['LOCKSTEP_BROWSER'];
  if (named !== undefined) return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const installed = [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), MAC].find(existsSync);
  if (installed !== undefined) return installed;
  if (process.platform === 'linux' && process.arch === 'x64') return unpacked();
  throw new Error(
    'The console is tested in Chromium. Install Chrome or Chromium, or name its file in LOCKSTEP_BROWSER.',
  );
}

/** npm has the browser compressed. */
async function unpacked(): Promise<string> {
  const file = join(LOCAL_FOLDER, `chromium-${VERSION}`);
  if (existsSync(file)) return file;
  await mkdir(LOCAL_FOLDER, { recursive: true });
  const compressed = fileURLToPath(new URL('../bin/chromium.br', import.meta.resolve('@sparticuz/chromium')));
  const part = `${file}.${process.pid}`;
  await pipeline(createReadStream(compressed), createBrotliDecompress(), createWriteStream(part, { mode: 0o755 }));
  await rename(part, file);
  return file;
}
