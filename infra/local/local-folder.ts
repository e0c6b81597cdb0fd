import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

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
  await mkdir(folder);
  return folder;
}

/**
 * A run's temporary files, outside the repository: below it, functions unpacked there would find its node_modules, and a module
 * forgotten in a bundle would fail in AWS only. Swept with the run's folder.
 */
export function temporaryFolderOf(runFolder: string): string {
  return join(tmpdir(), `lockstep-${basename(runFolder)}`);
}

async function sweepDeadRuns(): Promise<void> {
  for (const name of await readdir(RUNS)) {
    const pid = Number.parseInt(name, 10);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    // Two runs may sweep at once; what the other one took is gone as wished.
    const folder = join(RUNS, name);
    for (const one of [folder, temporaryFolderOf(folder)])
      await rm(one, { recursive: true, force: true }).catch(() => {});
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
