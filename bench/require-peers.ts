import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Installs what only the benchmarks need, where it is missing: the peers and Lambda's runtime interface client, which compiles
 * for some minutes and wants cmake and g++.
 */
export async function requirePeers(): Promise<void> {
  const folder = import.meta.dirname;
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return;
  process.stderr.write('Installing the peers into bench/node_modules; this takes some minutes.\n');
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 2, 2] });
  const [code] = await once(npm, 'exit');
  if (code !== 0) throw new Error('npm ci in bench/ failed; its output is above');
}
