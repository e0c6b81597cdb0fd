/** `npm run chaos`: records through deployed consumers while everything fails in turn. Exit 0 only if no promise was broken. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { Listr } from 'listr2';
import { RESEND_READINGS, type ResendReading } from '../../infra/local/event-source/decide.ts';
import { LocalCloudError } from '../../infra/local/local-cloud-error.ts';
import { type Servers, startServers } from '../../infra/local/servers.ts';
import { CHAOS_BUG_NAMES, CHAOS_BUGS, type ChaosBug, type ChaosBugName } from './bugs.ts';
import { chaosFindings, chaosTable } from './chaos-table.ts';
import { STAGED_FAULT_NAMES, type StagedFault } from './faults.ts';
import { type Chaos, deployChaos } from './run-chaos.ts';
import type { ReadingResult } from './run-reading.ts';

/** Each fault has a slice of the records of its own. */
const LEAST_RECORDS = 500;

interface Flags {
  readonly seed: number;
  readonly records?: number;
  readonly reading?: ResendReading | 'all';
  readonly bug?: ChaosBugName;
}

const integerFrom = (least: number) => (text: string) => {
  if (!/^\d+$/.test(text) || Number(text) < least) throw new InvalidArgumentError(`expected an integer >= ${least}.`);
  return Number(text);
};
const flags = new Command('chaos')
  .description(
    'Lets records go through deployed consumers while everything fails in turn, and checks every promise of docs/guarantees.md.',
  )
  .option('--seed <n>', 'of records, faults and moments', integerFrom(0), 1)
  .option('--records <n>', `of each reading (default: 20000, with --bug the bug's own)`, integerFrom(LEAST_RECORDS))
  .addOption(
    new Option('--reading <reading>', "what Lambda resends (default: all in turn, with --bug the bug's own)").choices([
      'all',
      ...RESEND_READINGS,
    ]),
  )
  .addOption(new Option('--bug <name>', 'builds a deliberate bug into what is deployed').choices(CHAOS_BUG_NAMES))
  .parse()
  .opts<Flags>();

for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }))
  process.on(signal, () => process.exit(code));

const bug: ChaosBug | undefined = flags.bug === undefined ? undefined : CHAOS_BUGS[flags.bug];
const reading = flags.reading ?? bug?.reading ?? 'all';
const readings = reading === 'all' ? RESEND_READINGS : [reading];
const records = flags.records ?? bug?.records ?? 20_000;
const faults: readonly StagedFault[] = bug?.faults ?? STAGED_FAULT_NAMES;

const results: ReadingResult[] = [];
let servers: Servers | undefined;
let chaos: Chaos | undefined;
const say = (task: { output: string }, line: string) => {
  task.output = line;
};
const tasks = new Listr(
  [
    {
      title: 'Start Apache Kafka and MiniStack (downloaded the first time)',
      task: async (_, task) => {
        servers = await startServers({ onProgress: (line) => say(task, line) });
      },
    },
    {
      title: `cdk deploy: a consumer for each of ${readings.join(', ')}${flags.bug === undefined ? '' : `, with the bug ${flags.bug}`}`,
      task: async () => {
        if (servers === undefined) throw new Error('a task ran before the one it needs');
        chaos = await deployChaos(servers.description, servers.kafka, {
          ...{ seed: flags.seed, records, readings, faults },
          patches: bug?.patches ?? [],
        });
      },
    },
    ...readings.map((one) => ({
      title: `${records} records under the reading ${one}`,
      task: async (_: unknown, task: { output: string; title: string }) => {
        if (chaos === undefined) throw new Error('a task ran before the one it needs');
        const result = await chaos.run(one, (line) => say(task, line));
        results.push(result);
        task.title = `${records} records under the reading ${one}: ${result.findings.length === 0 ? 'every promise kept' : `${result.findings.length} findings`}`;
      },
    })),
  ],
  { registerSignalListeners: false, fallbackRenderer: 'simple', rendererOptions: { collapseErrors: false } },
);

await tasks.run().catch((error) => {
  if (!(error instanceof LocalCloudError)) console.error(error);
});
if (results.length > 0) console.log(chaosTable(results));
for (const line of chaosFindings(results)) console.log(line);
await chaos?.stop();
await servers?.stop();
const held = results.length === readings.length && results.every(({ findings }) => findings.length === 0);
const command = `npm run chaos -- --seed ${flags.seed} --records ${records} --reading ${reading}${flags.bug === undefined ? '' : ` --bug ${flags.bug}`}`;
console.log(held ? `Every promise was kept. ${command}` : `The run failed. Again: ${command}`);
process.exit(held ? 0 : 1);
