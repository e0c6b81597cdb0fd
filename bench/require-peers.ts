import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Checks the peers' types. That needs their packages, so CI does not do it. @throws with what is wrong */
export async function checkPeers(): Promise<void> {
  const tsc = join(import.meta.dirname, '..', 'node_modules', '.bin', 'tsc');
  const project = join(import.meta.dirname, 'peers');
  const [code] = await once(spawn(tsc, ['--noEmit', '-p', project], { stdio: ['ignore', 2, 2] }), 'exit');
  if (code !== 0) throw new Error('the peers in bench/peers do not compile; what is wrong is above');
}

/**
 * Installs packages that only the benchmarks need, if they are missing: the peers and Lambda's runtime interface client, which
 * compiles for some minutes and needs cmake and g++.
 */
export async function requirePeers(): Promise<void> {
  const folder = import.meta.dirname;
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return;
  process.stderr.write('Installing the peers into bench/node_modules; this takes some minutes.\n');
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 2, 2] });
  const [code] = await once(npm, 'exit');
  if (code !== 0) throw new Error('npm ci in bench/ failed; its output is above');
}
