import { FAULT_KINDS, type FaultKind } from './fault-kinds.ts';
import { type Case, type RunResult, runCase } from './run.ts';

/** Runs that shrinking may take. */
const MOST_RUNS = 400;

/**
 * Makes a failing case smaller, always in the same way: whole kinds of faults are turned off, the log is shortened, handlers
 * are made to succeed, single faults are left out, as long as the same property stays broken.
 */
export async function shrink(failing: RunResult): Promise<RunResult> {
  const property = failing.violation?.property;
  let best = failing;
  let runs = 0;
  const attempt = async (smaller: Case): Promise<boolean> => {
    if (runs >= MOST_RUNS) return false;
    runs++;
    const result = await runCase(smaller);
    if (result.violation?.property !== property) return false;
    best = result;
    return true;
  };
  for (const kind of kindsOf(best)) await attempt({ ...best.of, off: [...(best.of.off ?? []), kind] });
  for (let most = best.settings.recordsPerPartition - 1; most > 0; most--)
    if (!(await attempt({ ...best.of, mostRecords: most }))) break;
  const scripted = best.records.filter(({ script }) => script.times > 0).map(({ index }) => index);
  for (const index of scripted) await attempt({ ...best.of, plain: [...(best.of.plain ?? []), index] });
  for (let width = best.drawn; width >= 1; width = Math.floor(width / 2))
    for (let from = 0; from < best.drawn; from += width) {
      const known = best.of.skip ?? [];
      const more = Array.from({ length: width }, (_, index) => from + index).filter(
        (number) => !known.includes(number),
      );
      if (more.length > 0) await attempt({ ...best.of, skip: [...known, ...more] });
    }
  return best;
}

function kindsOf({ faults }: RunResult): FaultKind[] {
  return (Object.keys(FAULT_KINDS) as FaultKind[]).filter((kind) => faults.has(kind));
}

/** The command that shows a case again. */
export function replayCommand(
  { seed, set, order, reading, off, skip, plain, mostRecords }: Case,
  bug?: string,
): string {
  const parts = ['npm run simulate -- --runs 1', `--seed ${seed}`];
  if (set !== undefined) parts.push(`--set ${set}`);
  if (order !== undefined) parts.push(`--order ${order}`);
  if (reading !== undefined) parts.push(`--reading ${reading}`);
  if (bug !== undefined) parts.push(`--bug ${bug}`);
  if (off !== undefined && off.length > 0) parts.push(`--off ${off.join(',')}`);
  if (mostRecords !== undefined) parts.push(`--records ${mostRecords}`);
  if (plain !== undefined && plain.length > 0) parts.push(`--plain ${plain.join(',')}`);
  if (skip !== undefined && skip.length > 0) parts.push(`--skip ${skip.join(',')}`);
  return [...parts, '--trace'].join(' ');
}
