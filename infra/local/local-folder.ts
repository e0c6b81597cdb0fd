import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** The repository's root. */
export const REPOSITORY = resolve(import.meta.dirname, '../..');

/** Everything the local cloud writes: downloads, reused by every run, and one folder a run. Ignored by git. */
export const LOCAL_FOLDER = join(REPOSITORY, '.local');

const RUNS = join(LOCAL_FOLDER, 'runs');

/**
 * Makes this run's folder and sweeps those of runs whose process is gone.
 *
 * @returns its path, short enough that sockets fit into it
 */
export async function createRunFolder(): Promise<string> {
  await mkdir(RUNS, { recursive: true });
  await sweepDeadRuns();
  const folder = join(RUNS, `${process.pid}-${randomBytes(3).toString('hex')}`);
  await mkdir(join(folder, 'tmp'), { recursive: true });
  // MiniStack unpacks CommonJS (its workers, functions) below: the repository's `"type": "module"` must not reach there.
  await writeFile(join(folder, 'package.json'), '{}');
  return folder;
}

async function sweepDeadRuns(): Promise<void> {
  for (const name of await readdir(RUNS)) {
    const pid = Number.parseInt(name, 10);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    // Two runs may sweep at once; what the other one took is gone as wished.
    await rm(join(RUNS, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** Whether a process of that number lives. One of another user counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
