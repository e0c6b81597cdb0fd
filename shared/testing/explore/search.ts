import { Random } from '../random.ts';
import { NO_TROUBLE, type Plan, type Planned, READINGS } from './plan.ts';
import type { Point, RunEnd } from './run-end.ts';
import type { ExploreOptions } from './scenario.ts';
import { DEATHS, type Trouble, USUAL_TROUBLES } from './trouble.ts';

/**
 * Plans, the simplest first: no fault, but smaller events, two processes in turns and each reading; then each fault alone at
 * each point; then random combinations without end.
 */
export async function* search(
  truth: RunEnd,
  { troubles = USUAL_TROUBLES, seed = 1 }: ExploreOptions,
  run: (plan: Plan) => Promise<RunEnd>,
): AsyncGenerator<Plan, void, void> {
  const single: Plan = { ...NO_TROUBLE, batch: 1 };
  yield single;
  yield { ...single, turns: true };
  for (const unheard of [1, 2]) yield { ...NO_TROUBLE, unheard };
  for (const twice of [1, 2]) yield { ...NO_TROUBLE, twice };
  const bases = [
    { plan: NO_TROUBLE, points: truth.points },
    { plan: single, points: (await run(single)).points },
    { plan: { ...single, turns: true }, points: (await run({ ...single, turns: true })).points },
  ];
  for (const { plan, points } of bases) {
    for (const planned of singles(points, troubles)) yield { ...plan, troubles: [planned] };
  }
  const chance = new Random(seed, 'explore');
  for (;;) {
    const { plan, points } = chance.pick(bases as [(typeof bases)[number], ...typeof bases]);
    const count = chance.between(1, 3);
    const planned = Array.from({ length: count }, () => drawn(points, troubles, chance)).flatMap((one) => one ?? []);
    const often = chance.between(1, 3);
    yield {
      ...plan,
      reading: chance.pick(READINGS),
      ...(chance.chance(0.1) && { unheard: often }),
      ...(chance.chance(0.1) && { twice: often }),
      troubles: planned.filter(({ at }, index) => planned.findIndex((other) => other.at === at) === index),
    };
  }
}

/** Each fault alone, at each point where it is possible, one kind after the other, so that simple ones are found first. */
export function singles(points: readonly Point[], troubles: readonly Trouble[]): Planned[] {
  return troubles.flatMap((trouble) =>
    points.flatMap(({ kind }, index) => (canBe(trouble, kind) ? [{ trouble, at: index + 1 }] : [])),
  );
}

function canBe(trouble: Trouble, kind: Point['kind']): boolean {
  return kind === 'call' || DEATHS.includes(trouble);
}

function drawn(points: readonly Point[], troubles: readonly Trouble[], chance: Random): Planned | undefined {
  const [first, ...rest] = troubles;
  if (first === undefined || points.length === 0) return undefined;
  // Also beyond the end: a run with repeats has more points.
  return { trouble: chance.pick([first, ...rest]), at: chance.between(1, Math.ceil(points.length * 1.5)) };
}
