import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';

const GIB = 2 ** 30;

/** Where and with what the results were made, as Markdown. */
export function machineText(now: Date): string {
  const [cpu] = cpus();
  const load = loadavg().map((value) => value.toFixed(1));
  return [
    `- ${now.toISOString().slice(0, 16).replace('T', ' ')} UTC, commit ${commit()}`,
    `- ${cpus().length} × ${cpu?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / GIB)} GiB, ${platform()} ${release()} ${arch()}`,
    `- load average at the start ${load.join(', ')}: above the number of cores others were at work, and times are worth no more than their ratios`,
    `- Node ${process.version}; ${versions().join(', ')}`,
  ].join('\n');
}

const COMPARED = [
  ['bench', '@aws-lambda-powertools/kafka'],
  ['bench', '@aws-lambda-powertools/idempotency'],
  ['.', '@middy/core'],
  ['.', '@aws-sdk/client-dynamodb'],
  ['.', 'kafkajs'],
  ['bench', 'aws-lambda-ric'],
] as const;

function versions(): string[] {
  const root = join(import.meta.dirname, '..', '..');
  return COMPARED.map(([folder, name]) => {
    const { version } = JSON.parse(readFileSync(join(root, folder, 'node_modules', name, 'package.json'), 'utf8'));
    return `${name} ${version}`;
  });
}

function commit(): string {
  try {
    const run = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
    return `${run('rev-parse', '--short', 'HEAD')}${run('status', '--porcelain', '--', 'shared') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}
