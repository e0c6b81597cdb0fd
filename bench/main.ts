/** `npm run bench`: compares Lockstep with its alternatives, on the same work, in one run. `-- --help` */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { machineText } from './report/machine.ts';
import { type Section, toMarkdown } from './report/section.ts';
import { checkPeers, requirePeers } from './require-peers.ts';

const PARTS = {
  requests: async () => (await import('./parts/requests.ts')).requests,
  cpu: async () => (await import('./parts/costs.ts')).cpu,
  allocation: async () => (await import('./parts/costs.ts')).allocation,
  coldStart: async () => (await import('./parts/cold-start.ts')).coldStarts,
  latency: async () => (await import('./parts/costs.ts')).latency,
  growth: async () => (await import('./parts/growth.ts')).growth,
  endToEnd: async () => (await import('./parts/end-to-end.ts')).endToEnd,
} as const;
type PartName = keyof typeof PARTS;
const NAMES = Object.keys(PARTS) as PartName[];

const numbers = (text: string) =>
  text.split(',').map((part) => {
    const value = Number(part);
    if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('expected whole numbers, as 1,100,1000');
    return value;
  });
const number = (text: string) => numbers(text)[0] ?? 0;

const command = new Command('npm run bench --')
  .argument('[parts...]', `which parts to run: ${NAMES.join(', ')}`, NAMES)
  .option('--sizes <list>', 'records per batch', numbers, [1, 100, 1_000, 10_000])
  .option('--partitions <list>', 'partitions per batch', numbers, [1, 10])
  .option('--latencies <list>', 'milliseconds a request to the store takes', numbers, [0, 3, 10])
  .option('--rounds <number>', 'rounds of each measurement', number, 15)
  .option('--records <number>', 'records end to end; a tenth of it with effects', number, 200_000)
  .option('--name <name>', 'name of the results file', new Date().toISOString().slice(0, 10))
  .parse();

const options = command.opts<{
  sizes: number[];
  partitions: number[];
  latencies: number[];
  rounds: number;
  records: number;
  name: string;
}>();
const wanted = command.processedArgs[0] as string[];
const unknown = wanted.filter((name) => !(name in PARTS));
if (unknown.length > 0) command.error(`no such part: ${unknown.join(', ')}. There are ${NAMES.join(', ')}`);

await requirePeers();
await checkPeers();
const resultsFolder = join(import.meta.dirname, 'results');
mkdirSync(resultsFolder, { recursive: true });
const startedAt = performance.now();
const progress = (line: string) => {
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`);
};
const machine = machineText(new Date());
const sections: Section[] = [];
for (const name of NAMES.filter((part) => wanted.includes(part))) {
  const part = await PARTS[name]();
  const section = await part({ ...options, endToEndRecords: options.records, resultsFolder, progress });
  sections.push(section);
  process.stdout.write(`${toMarkdown(section)}\n\n`);
  // After each part, so that what was measured is kept when a later one fails.
  const text = [
    '# Benchmark',
    machine,
    `\`npm run bench -- ${process.argv.slice(2).join(' ')}\``,
    ...sections.map(toMarkdown),
  ];
  writeFileSync(join(resultsFolder, `${options.name}.md`), `${text.join('\n\n')}\n`);
}
progress(`written to bench/results/${options.name}.md`);
