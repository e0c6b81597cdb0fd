import { NO_TROUBLE, type Plan, type Planned } from './plan.ts';
import type { RunEnd } from './run-end.ts';
import { singles } from './search.ts';

/** How many runs making a plan smaller may take. */
const MOST_RUNS = 300;

/**
 * Makes a failing plan smaller, always in the same way: fewer faults, fewer records, the simplest mapping, as long as the run
 * stays wrong.
 */
export async function smallest<F extends { readonly plan: Plan }>(
  failing: F,
  recordCount: number,
  attempt: (plan: Plan) => Promise<F | undefined>,
  run: (plan: Plan) => Promise<RunEnd>,
): Promise<F> {
  let best = failing;
  let runs = 0;
  const fails = async (plan: Plan): Promise<boolean> => {
    if (runs++ >= MOST_RUNS) return false;
    const found = await attempt(plan);
    if (found !== undefined) best = found;
    return found !== undefined;
  };
  const without = async (change: (plan: Plan) => Plan) => fails(change(best.plan));
  await without(({ twice: _, ...plan }) => plan);
  await without(({ unheard: _, ...plan }) => plan);
  await without((plan) => ({ ...plan, turns: false }));
  await without((plan) => ({ ...plan, reading: NO_TROUBLE.reading }));
  for (const planned of best.plan.troubles)
    await without((plan) => ({ ...plan, troubles: plan.troubles.filter((one) => one !== planned) }));
  await without((plan) => ({ ...plan, batch: NO_TROUBLE.batch }));
  for (const records of subsets(recordCount)) {
    if (runs >= MOST_RUNS || (best.plan.records !== undefined && best.plan.records.length <= records.length)) break;
    await fewer(best.plan, records, fails, run);
  }
  return best;
}

/** Only these records, and the same faults wherever they fit. */
async function fewer(
  plan: Plan,
  records: readonly number[],
  fails: (plan: Plan) => Promise<boolean>,
  run: (plan: Plan) => Promise<RunEnd>,
): Promise<boolean> {
  const some = { ...plan, records };
  const { points } = await run({ ...some, troubles: [] });
  const kinds = [...new Set(plan.troubles.map(({ trouble }) => trouble))];
  if (kinds.length === 0) return fails(some);
  for (const troubles of combinations(plan.troubles, singles(points, kinds)))
    if (await fails({ ...some, troubles })) return true;
  return false;
}

/** Places for the same faults, in the same order. Of several faults only the last one is moved freely. */
function* combinations(troubles: readonly Planned[], places: readonly Planned[]): Generator<readonly Planned[]> {
  const before = troubles.slice(0, -1);
  const last = troubles.at(-1);
  for (const place of places) if (place.trouble === last?.trouble) yield [...before, place];
}

/** One record, two, and so on: the smallest set first. */
function subsets(count: number): number[][] {
  const each = Array.from({ length: count }, (_, index) => index);
  const pairs = each.flatMap((first) => each.slice(first + 1).map((second) => [first, second]));
  const leaving = each.map((left) => each.filter((index) => index !== left));
  return [...each.map((index) => [index]), ...pairs, ...leaving]
    .filter(({ length }) => length > 0 && length < count)
    .slice(0, 40);
}
