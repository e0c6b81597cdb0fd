import { Command, InvalidArgumentError, Option } from 'commander';
import { RESEND_READINGS } from '../../infra/local/event-source/mapping-rules.ts';
import { BUG_NAMES, BUGS, type Bug, type BugName } from './bugs.ts';
import { FAULT_KINDS, type FaultKind } from './fault-kinds.ts';
import { importPatched } from './patch-modules.ts';
import type { Case } from './run.ts';
import { SET_NAMES } from './settings.ts';

const integer = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected an integer >= 0.');
  return Number(text);
};
const integers = (text: string): number[] => text.split(',').map(integer);
const kinds = (text: string): FaultKind[] =>
  text.split(',').map((name) => {
    const kind = (Object.keys(FAULT_KINDS) as FaultKind[]).find((known) => known === name);
    if (kind === undefined) throw new InvalidArgumentError(`expected of ${Object.keys(FAULT_KINDS).join(', ')}.`);
    return kind;
  });

const RUNS = 1_000;

interface Flags extends Omit<Case, 'seed'> {
  readonly seed?: number;
  readonly runs?: number;
  readonly bug?: BugName;
  readonly trace?: boolean;
  readonly shrink: boolean;
  readonly lines: number;
  readonly records?: number;
}

const flags = new Command('simulate')
  .description('Runs the consumer in a simulated world and checks every promise of docs/guarantees.md.')
  .option('--runs <n>', `how many runs; else ${RUNS}, or within how many the bug is found`, integer)
  .option('--seed <n>', 'of the first run, the others count up; else 1, or where to look for the bug', integer)
  .addOption(
    new Option('--set <name>', 'which faults occur together; else drawn, or those that show the bug').choices(
      SET_NAMES,
    ),
  )
  .addOption(new Option('--order <order>', 'else drawn').choices(['partition', 'key']))
  .addOption(new Option('--reading <reading>', 'what Lambda resends; else drawn').choices([...RESEND_READINGS]))
  .addOption(new Option('--bug <name>', 'builds a deliberate bug in').choices(BUG_NAMES))
  .option('--trace', 'prints the history of the first run', false)
  .option('--no-shrink', 'prints the first history that breaks a promise as it is')
  .option('--lines <n>', 'of a history, the last ones', integer, 150)
  .option('--off <kinds>', 'faults turned off, as shrinking found them', kinds)
  .option('--skip <numbers>', 'single faults left out', integers)
  .option('--plain <numbers>', 'records whose handler simply succeeds', integers)
  .option('--records <n>', 'most records in a partition', integer)
  .parse()
  .opts<Flags>();

const bug: Bug | undefined = flags.bug === undefined ? undefined : BUGS[flags.bug];
// Stacks cost more than all the rest; a trace needs none either.
Error.stackTraceLimit = 0;

// Only now: the modules under test are loaded with the bug in them.
const { report } = await importPatched<typeof import('./report.ts')>(
  import.meta.resolve('./report.ts'),
  flags.bug ?? 'none',
  bug?.patches ?? [],
);
const { runs = bug?.within ?? RUNS, seed = bug?.from ?? 1, set = bug?.set } = flags;
const { trace = false, lines, shrink, records, order, reading, off, skip, plain } = flags;
const first: Case = {
  seed,
  ...(set !== undefined && { set }),
  ...(order !== undefined && { order }),
  ...(reading !== undefined && { reading }),
  ...(off !== undefined && { off }),
  ...(skip !== undefined && { skip }),
  ...(plain !== undefined && { plain }),
  ...(records !== undefined && { mostRecords: records }),
};
process.exitCode = await report(first, {
  runs,
  trace,
  lines,
  shrinks: shrink,
  ...(flags.bug !== undefined && { bug: flags.bug }),
});
