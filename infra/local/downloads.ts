import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CACHE_FOLDER, isAlive } from './local-folder.ts';

/** How long a lock counts whose owner has not written its process id yet. */
const UNSIGNED_LOCK_MS = 5_000;

/**
 * A download into the user's cache that every later run of any project uses.
 *
 * It is built in a temporary folder and moved when it is complete, so an interrupted download leaves nothing that looks
 * complete. A lock makes a second run wait for the first download. If a lock is ever taken from a living owner, both download,
 * and the first one to finish wins.
 *
 * @param name - of its folder
 * @param content - what it depends on (a pom, a version): other content is another download
 * @param fetch - fills the given empty folder
 * @returns its folder
 */
export async function download(
  name: string,
  content: string,
  fetch: (folder: string) => Promise<void>,
): Promise<string> {
  const fingerprint = createHash('sha256').update(content).digest('hex').slice(0, 8);
  const place = join(CACHE_FOLDER, `${name}-${fingerprint}`);
  if (existsSync(place)) return place;
  await mkdir(CACHE_FOLDER, { recursive: true });
  const unlock = await lock(`${place}.lock`);
  const draft = `${place}.${process.pid}.draft`;
  try {
    if (existsSync(place)) return place;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft);
    await fetch(draft);
    await rename(draft, place).catch((error) => {
      if (!existsSync(place)) throw error;
    });
    return place;
  } finally {
    await rm(draft, { recursive: true, force: true });
    await unlock();
  }
}

/** Takes a lock, which is a folder, and waits for a living owner. @returns a function that releases it */
async function lock(folder: string): Promise<() => Promise<void>> {
  const holder = join(folder, 'pid');
  for (;;) {
    try {
      await mkdir(folder);
      await writeFile(holder, String(process.pid));
      return () => rm(folder, { recursive: true, force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (await isAbandoned(folder, holder)) await rm(folder, { recursive: true, force: true });
    else await delay(200);
  }
}

async function isAbandoned(folder: string, holder: string): Promise<boolean> {
  const pid = Number.parseInt(await readFile(holder, 'utf8').catch(() => ''), 10);
  if (!Number.isNaN(pid)) return !isAlive(pid);
  const since = await stat(folder).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
  return Date.now() - since > UNSIGNED_LOCK_MS;
}
