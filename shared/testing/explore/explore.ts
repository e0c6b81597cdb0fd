import { isDeepStrictEqual } from 'node:util';
import type { DeadLetter } from '../../ports/dead-letter-publisher.ts';
import { positionName } from '../../record/item-identifier.ts';
import { difference, shown } from './difference.ts';
import { deadLettered } from './outside.ts';
import { NO_TROUBLE, type Plan, parsePlan, planText } from './plan.ts';
import type { Known, RunEnd } from './run-end.ts';
import type { Explored, ExploreOptions, Scenario } from './scenario.ts';
import { search } from './search.ts';
import { smallest } from './smallest.ts';
import { timeline } from './story.ts';
import { isTrouble, TROUBLES } from './trouble.ts';
import { TroubledRun } from './troubled-run.ts';

/** The handler gives another result when something fails. The message tells what happened. */
export class ExplorationError extends Error {
  override readonly name = 'ExplorationError';
  /** Repeats the run: `explore(scenario, { replay })`. */
  readonly replay: string;
  /** The observation of this run, and that of a run without faults. */
  readonly observed: unknown;
  readonly expected: unknown;

  constructor(message: string, replay: string, observed: unknown, expected: unknown) {
    super(message);
    this.replay = replay;
    this.observed = observed;
    this.expected = expected;
  }
}

/** A call that is new is known from the next try on. */
const MOST_TRIES = 100;

/** A run that is wrong, and why. */
interface Failing {
  readonly plan: Plan;
  readonly end: RunEnd;
  readonly why: readonly string[];
}

/**
 * Looks for faults that a handler cannot handle. It runs the scenario once without faults. Then it runs it again and again while
 * processes die, freeze and lose answers at each call, and compares what is observed. No AWS, no broker; time is virtual.
 *
 * @throws ExplorationError with the smallest story that was found, at most 15 lines, and the `replay` that gives it again
 * @throws TypeError for a scenario that cannot be explored: it shares state between runs, its handler never ends, its records cannot
 *   be decoded. The message says what to change
 */
export async function explore<W extends object, O>(
  scenario: Scenario<W, O>,
  options: ExploreOptions = {},
): Promise<Explored> {
  const { runs: most = 500, troubles = [] } = options;
  if (!Number.isSafeInteger(most) || most < 1)
    throw new TypeError(`explore: expected \`runs\` to be an integer >= 1, got ${shown(most)}`);
  const none = troubles.find((name) => !isTrouble(name));
  if (none !== undefined)
    throw new TypeError(
      `explore: there is no trouble \`${none}\`: expected one of ${Object.keys(TROUBLES).join(', ')}`,
    );
  if (scenario.records.length === 0) throw new TypeError('explore: the scenario has no records.');
  const known: Known = { returns: new Map(), isReal: undefined };
  const run = async (plan: Plan): Promise<RunEnd<O>> => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const end = await new TroubledRun(scenario, plan, known).run();
      if (end !== undefined) return end;
    }
    throw new TypeError('explore: the methods of the world have other names in each run. Give them names that stay.');
  };
  const truth = await truthOf(run, scenario.records.length);
  let runs = 2;
  const attempt = async (plan: Plan): Promise<Failing | undefined> => {
    runs++;
    // With fewer records the expected result is another one.
    const expected = plan.records === undefined ? truth : await run({ ...NO_TROUBLE, records: plan.records });
    const end = await run(plan);
    const why = faultsOf(scenario, end, expected);
    return why.length === 0 ? undefined : { plan, end, why };
  };
  if (options.replay !== undefined) {
    const failing = await attempt(parsePlan(options.replay));
    if (failing !== undefined) throw await told(failing, run);
    return { runs, points: truth.points.map(({ name }) => name) };
  }
  for await (const plan of search(truth, options, run)) {
    if (runs >= most) break;
    const failing = await attempt(plan);
    if (failing === undefined) continue;
    await checkRepeatable(failing, truth, run);
    throw await told(await smallest(failing, scenario.records.length, attempt, run), run);
  }
  return { runs, points: truth.points.map(({ name }) => name) };
}

/** The observation of a run without faults. @throws TypeError where other runs cannot be compared with it */
async function truthOf<O>(run: (plan: Plan) => Promise<RunEnd<O>>, recordCount: number): Promise<RunEnd<O>> {
  const truth = await run(NO_TROUBLE);
  if (truth.fault !== undefined) throw new TypeError(`explore: in the run without trouble ${truth.fault}.`);
  const [letter] = truth.deadLetters.filter(isUnusable);
  if (letter !== undefined) throw unusable(letter);
  const [first] = truth.deadLetters;
  if (first !== undefined && deadLettered(truth.deadLetters).length === recordCount)
    throw new TypeError(`explore: all records are dead-lettered in the run without trouble: ${errorOf(first)}.`);
  if (!truth.touches)
    throw new TypeError(
      'explore: the handler calls nothing of its world. Give it the `world` that `handler` gets, not one of its own.',
    );
  const again = await run(NO_TROUBLE);
  if (
    isDeepStrictEqual(
      [truth.observed, deadLettered(truth.deadLetters)],
      [again.observed, deadLettered(again.deadLetters)],
    )
  )
    return truth;
  const [what = ''] = difference(again.observed, truth.observed);
  throw new TypeError(
    `explore: two runs without trouble differ (${what}). Either the scenario shares state between runs: make all of it in \`world\`, and what a process keeps in memory in \`handler\`. Or what is observed depends on time or chance: leave that out of \`observe\`.`,
  );
}

function isUnusable(letter: DeadLetter): boolean {
  return ['decode', 'validate', 'interrupted'].includes(headerOf(letter, 'x-stage'));
}

function unusable(letter: DeadLetter): TypeError {
  const at = positionName(letter.origin);
  if (headerOf(letter, 'x-stage') === 'interrupted')
    return new TypeError(
      `explore: the handler of ${at} never ends, in a run without trouble. What it waits for never comes: let its world answer.`,
    );
  return new TypeError(
    `explore: the value of ${at} cannot be decoded: ${errorOf(letter)}. Give \`records\` that the handler's decoder takes.`,
  );
}

function errorOf(letter: DeadLetter): string {
  return `${headerOf(letter, 'x-error-name')}: ${headerOf(letter, 'x-error-message')}`;
}

function headerOf({ headers }: DeadLetter, wanted: string): string {
  return headers.find(({ name }) => name === wanted)?.value.toString() ?? '';
}

/** Why a run is wrong, in lines; empty if it is right. */
function faultsOf<O>(
  { holds }: Pick<Scenario<never, O>, 'holds'>,
  end: RunEnd<O>,
  truth: RunEnd<O>,
): readonly string[] {
  if (end.fault !== undefined) return [end.fault];
  if (holds !== undefined) return broken(() => holds(end.observed, truth.observed), end.observed);
  const [letters, expected] = [deadLettered(end.deadLetters), deadLettered(truth.deadLetters)];
  return [
    ...difference(end.observed, truth.observed),
    ...difference(letters, expected).map((line) => `dead letters: ${line}`),
  ];
}

function broken(holds: () => unknown, observed: unknown): readonly string[] {
  try {
    return holds() === false ? [`\`holds\` says no to ${shown(observed, 90)}`] : [];
  } catch (error) {
    const [first = ''] = String(error instanceof Error ? error.message : error).split('\n');
    return [first];
  }
}

/** @throws TypeError where the same plan does not give the same result again */
async function checkRepeatable(
  { plan, end }: Failing,
  truth: RunEnd,
  run: (plan: Plan) => Promise<RunEnd>,
): Promise<void> {
  const [again, calm] = [await run(plan), await run(NO_TROUBLE)];
  if (isDeepStrictEqual(again.observed, end.observed) && isDeepStrictEqual(calm.observed, truth.observed)) return;
  throw new TypeError(
    'explore: the same run gives one thing now and another then. The scenario shares state between runs, or depends on time or chance: make all of its state in `world` and `handler`.',
  );
}

async function told({ plan, end, why }: Failing, run: (plan: Plan) => Promise<RunEnd>): Promise<ExplorationError> {
  const calm = await run(plan.records === undefined ? NO_TROUBLE : { ...NO_TROUBLE, records: plan.records });
  const replay = planText(plan);
  const head = ['the handler gives another result when this happens:', ...why.map((line) => `  ${line}`)];
  const tail = [`replay: explore(scenario, { replay: '${replay}' })`];
  const lines = timeline(end.story, head.length + tail.length);
  return new ExplorationError([...head, ...lines, ...tail].join('\n'), replay, end.observed, calm.observed);
}
