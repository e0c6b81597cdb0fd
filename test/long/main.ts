/** `npm run test:long`: what is too long for every commit, part by part, and a table at the end. Exit 0 only if every part passed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import Table from 'cli-table3';

/** Each runs from the repository's root and passes with exit code 0. */
const PARTS = {
  simulation: ['node', 'test/simulation/simulate.ts', '--runs', '30000'],
  bugs: ['node', 'test/simulation/hunt-all.ts'],
  mutation: ['npm', 'run', 'mutation'],
  chaos: ['node', 'test/chaos/chaos.ts'],
  everything: ['node', 'test/everything/everything.ts'],
  letters: ['vitest', 'run', '--project', 'long', 'test/long/many-letters.test.ts'],
  package: ['vitest', 'run', '--project', 'long', 'test/long/package-matrix.test.ts'],
  parkedKeys: [
    'env',
    'LOCKSTEP_STOCK_SKUS=200',
    'vitest',
    'run',
    '--project',
    'local',
    'test/local/patterns/stock.test.ts',
  ],
  deaths: [
    'env',
    'LOCKSTEP_LEDGER_DEATHS=50',
    'vitest',
    'run',
    '--project',
    'local',
    'test/local/patterns/ledger.test.ts',
  ],
  explore: ['env', 'LOCKSTEP_EXPLORE_RUNS=2000', 'vitest', 'run', '--project', 'unit', 'test/shared/testing/explore'],
  coverage: ['vitest', 'run', '--coverage', '--project=!long'],
} as const satisfies Readonly<Record<string, readonly [string, ...string[]]>>;

type PartName = keyof typeof PARTS;

interface Verdict {
  readonly part: PartName;
  readonly passed: boolean;
  readonly seconds: number;
}

const ALL = Object.keys(PARTS) as PartName[];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !ALL.some((part) => part === name));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}. Parts: ${ALL.join(', ')}.`);
  process.exit(2);
}

let interrupted: NodeJS.Signals | undefined;
const verdicts: Verdict[] = [];
for (const part of ALL.filter((name) => asked.length === 0 || asked.includes(name))) {
  if (interrupted === undefined) verdicts.push(await run(part));
}
console.log(tableOf(verdicts));
const passed = interrupted === undefined && verdicts.every((verdict) => verdict.passed);
process.exit(passed ? 0 : 1);

async function run(part: PartName): Promise<Verdict> {
  const [command, ...args] = PARTS[part];
  console.log(`\n── ${part}: ${[command, ...args].join(' ')}\n`);
  const startedAt = performance.now();
  const child = spawn(command, args, { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; the part ends what it started, and this process waits for it.
  const onInterrupt = () => {
    interrupted = 'SIGINT';
  };
  const onTerminate = (signal: NodeJS.Signals) => {
    interrupted = signal;
    child.kill(signal);
  };
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate).on('SIGHUP', onTerminate);
  const [code] = await once(child, 'exit');
  process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate).off('SIGHUP', onTerminate);
  return { part, passed: code === 0, seconds: (performance.now() - startedAt) / 1_000 };
}

function tableOf(rows: readonly Verdict[]): string {
  const table = new Table({
    head: ['part', 'verdict', 'seconds'],
    colAligns: ['left', 'left', 'right'],
    style: { head: [], border: [] },
  });
  for (const { part, passed, seconds } of rows) table.push([part, passed ? 'passed' : 'failed', seconds.toFixed(0)]);
  table.push(['all', interrupted ?? '', rows.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(0)]);
  return table.toString();
}
