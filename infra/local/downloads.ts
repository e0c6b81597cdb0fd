import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, LOCAL_FOLDER } from './local-folder.ts';

/** How long a lock whose maker has not yet written its number into it is respected. */
const UNSIGNED_LOCK_MS = 5_000;

/**
 * Something downloaded once into `.local/` and reused by every later run.
 *
 * It is built beside its place and moved there when complete, so a download that was cut off leaves nothing that looks whole.
 * A lock makes a second run wait for the first one's download; should a lock ever be taken from a living holder, both
 * download and the first to finish wins.
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
  const place = join(LOCAL_FOLDER, `${name}-${fingerprint}`);
  if (existsSync(place)) return place;
  await mkdir(LOCAL_FOLDER, { recursive: true });
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

/** Takes a lock that a folder stands for, waiting for a living holder. @returns what releases it */
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
