import CliTable3 from 'cli-table3';
import { Listr } from 'listr2';
import { type Campaign, type Progress, runCampaign } from './campaign.ts';
import { FAULT_KINDS, type FaultKind } from './fault-kinds.ts';
import { type Case, runCase } from './run.ts';
import { replayCommand, shrink } from './shrink.ts';
import { timeline } from './timeline.ts';

const BAR_WIDTH = 30;

/** What is printed, and of how much. */
export interface ReportOptions {
  readonly runs: number;
  readonly trace: boolean;
  readonly lines: number;
  readonly shrinks: boolean;
  readonly bug?: string;
}

/** Runs the simulation and prints what came of it. Returns the exit code: 1 where a promise was broken. */
export async function report(first: Case, { runs, trace, lines, shrinks, bug }: ReportOptions): Promise<number> {
  if (trace) {
    const traced = await runCase(first, true);
    console.log(timeline(traced, lines));
    if (runs === 1) return traced.violation === undefined ? 0 : 1;
  }
  const campaign = await withProgress(first, runs);
  console.log(counts(campaign));
  const { seconds, invocations, failing } = campaign;
  const speed = (campaign.runs / seconds).toFixed(0);
  console.log(`${campaign.runs} runs, ${invocations} invocations, ${seconds.toFixed(1)} s, ${speed} runs/s`);
  if (failing === undefined) {
    console.log('No promise was broken.');
    return 0;
  }
  console.log(`\nSeed ${failing.of.seed} broke ${failing.violation?.property}.${shrinks ? ' Shrinking …' : ''}`);
  const smallest = shrinks ? await shrink(failing) : failing;
  const traced = await runCase(smallest.of, true);
  const { set, order, reading } = traced.settings;
  console.log(`\n${timeline(traced, lines)}\n`);
  console.log(`found in run ${campaign.runs}, set ${set}, order ${order}, reading ${reading}`);
  console.log(
    `seed   ${failing.of.seed}\nreplay ${replayCommand(failing.of, bug)}\nshrunk ${replayCommand(smallest.of, bug)}`,
  );
  return 1;
}

async function withProgress(first: Case, runs: number): Promise<Campaign> {
  const isTerminal = process.stdout.isTTY;
  let campaign: Campaign | undefined;
  const work = new Listr(
    [
      {
        title: `${runs} runs from seed ${first.seed}`,
        task: async (_, task) => {
          const show = (progress: Progress) => {
            task.output = bar(progress);
          };
          campaign = await runCampaign(first, runs, show, isTerminal ? 200 : 10_000);
        },
      },
    ],
    { fallbackRenderer: 'simple' },
  );
  await work.run();
  if (campaign === undefined) throw new Error('the campaign did not run');
  return campaign;
}

function bar({ runs, of, runsPerSecond }: Progress): string {
  const full = Math.round((runs / of) * BAR_WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${runs}/${of}, ${runsPerSecond.toFixed(0)} runs/s`;
}

function counts({ faults }: Campaign): string {
  const table = new CliTable3({ head: ['fault', 'seen', 'what'], colAligns: ['left', 'right', 'left'] });
  for (const kind of Object.keys(FAULT_KINDS) as FaultKind[])
    table.push([kind, faults.get(kind) ?? 0, FAULT_KINDS[kind]]);
  return table.toString();
}
