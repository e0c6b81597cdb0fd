import { readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';

/** The repository's root; in the package, the folder of the compiled modules. */
export const REPOSITORY = resolve(import.meta.dirname, '../..');

/** TypeScript here, JavaScript in the package. */
export const MODULE_EXTENSION = extname(import.meta.filename);

/** Downloads of this user, for all projects: `LOCKSTEP_CACHE`, otherwise where the system keeps such files. */
export const CACHE_FOLDER = cacheFolder(process.env, process.platform);

/** Everything else that the local cloud writes: one folder a run. In the repository it is ignored by git. */
export const LOCAL_FOLDER = MODULE_EXTENSION === '.js' ? CACHE_FOLDER : join(REPOSITORY, '.local');

/** @returns an absolute path. https://specifications.freedesktop.org/basedir-spec/latest/ */
export function cacheFolder(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const { LOCKSTEP_CACHE: given, XDG_CACHE_HOME: xdg } = environment;
  if (given) return resolve(given);
  if (platform === 'darwin') return join(homedir(), 'Library/Caches/lockstep');
  // A relative path is to be ignored.
  return join(xdg?.startsWith('/') ? xdg : join(homedir(), '.cache'), 'lockstep');
}

const RUNS = join(LOCAL_FOLDER, 'runs');

/**
 * Makes this run's folder and sweeps those of runs whose process is gone.
 *
 * @returns its path, short enough that sockets fit into it
 */
export async function createRunFolder(): Promise<string> {
  await mkdir(RUNS, { recursive: true });
  await sweepDeadRuns();
  // Of a name that nobody can guess, closed to other users.
  return mkdtemp(join(RUNS, `${process.pid}-`));
}

/** A link beside a run's logs to its temporary files. */
const LINK = 'temporary';
const PREFIX = 'lockstep-';

/**
 * Makes a folder for a run's temporary files, closed to other users. It is outside the repository: otherwise functions that are
 * unpacked there would find its node_modules, and a module that is missing in a bundle would fail only in AWS. Its name cannot be
 * guessed, and an existing folder, which another user may have made, is not used. It is deleted with the run's folder.
 */
export async function makeTemporaryFolder(runFolder: string): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), PREFIX));
  await rm(join(runFolder, LINK), { force: true });
  await symlink(made, join(runFolder, LINK));
  return made;
}

/** The folder that {@link makeTemporaryFolder} made last for a run; `undefined` where it made none. */
export function temporaryFolderOf(runFolder: string): string | undefined {
  try {
    const folder = readlinkSync(join(runFolder, LINK));
    return folder.startsWith(join(tmpdir(), PREFIX)) && dirname(folder) === resolve(tmpdir()) ? folder : undefined;
  } catch {
    return undefined;
  }
}

async function sweepDeadRuns(): Promise<void> {
  for (const name of await readdir(RUNS)) {
    const pid = Number.parseInt(name, 10);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    // Two runs may sweep at once; what the other one took is gone as wished.
    const folder = join(RUNS, name);
    for (const one of [temporaryFolderOf(folder), folder])
      if (one !== undefined) await rm(one, { recursive: true, force: true }).catch(() => {});
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
