import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import type { CloudDescription } from './cloud-description.ts';
import type { DeployedFunction } from './deployed.ts';
import { temporaryFolderOf } from './local-folder.ts';

const run = promisify(execFile);

/** Process ids of a function's processes in this cloud: one for each invocation at a time, kept warm. */
export async function functionWorkers(
  { runFolder }: CloudDescription,
  { functionName }: DeployedFunction,
): Promise<number[]> {
  const temporary = temporaryFolderOf(runFolder);
  if (temporary === undefined) return [];
  const { stdout } = await run('ps', ['-axo', 'pid=,command=']);
  // MiniStack names a worker's folder after the function.
  const folder = `${basename(temporary)}/ministack-lambda-${functionName}-`;
  return stdout
    .split('\n')
    .filter((line) => line.includes(folder))
    .map((line) => Number.parseInt(line, 10));
}

/** Kills a function's processes, whatever they are doing. @returns how many of them were alive */
export async function killFunctionWorkers(cloud: CloudDescription, deployed: DeployedFunction): Promise<number> {
  return (await functionWorkers(cloud, deployed)).filter(killWorker).length;
}

/** Kills one of {@link functionWorkers}. @returns `false` if it has ended meanwhile */
export function killWorker(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
