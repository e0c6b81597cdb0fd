import { isTrouble, type Trouble } from './trouble.ts';

/** Which records Lambda delivers again. AWS does not say it. See docs/guarantees.md. */
export const READINGS = ['reported', 'lowest', 'batch', 'overtaken'] as const;

export type Reading = (typeof READINGS)[number];

/** A fault at a point: the n-th call or request of the run, from 1. */
export interface Planned {
  readonly trouble: Trouble;
  readonly at: number;
}

/** Everything that decides a run. The same plan gives the same run, as long as the handler depends on nothing else. */
export interface Plan {
  /** The scenario's records that are in the topic, by index. Absent: all. */
  readonly records?: readonly number[];
  /** The most records of a partition in one event. */
  readonly batch: number;
  readonly reading: Reading;
  /** Two processes take turns, as after a rebalance. */
  readonly turns: boolean;
  /** The n-th event, from 1, is delivered twice, or its answer does not reach Lambda. */
  readonly twice?: number;
  readonly unheard?: number;
  readonly troubles: readonly Planned[];
}

export const NO_TROUBLE: Plan = { batch: 1_000, reading: 'reported', turns: false, troubles: [] };

/** A plan as text: `replay` takes it. */
export function planText({ records, batch, reading, turns, twice, unheard, troubles }: Plan): string {
  return [
    ...(records === undefined ? [] : [`records:${records.join(',')}`]),
    ...(batch === NO_TROUBLE.batch ? [] : [`batch:${batch}`]),
    ...(reading === NO_TROUBLE.reading ? [] : [`reading:${reading}`]),
    ...(turns ? ['turns'] : []),
    ...(twice === undefined ? [] : [`twice:${twice}`]),
    ...(unheard === undefined ? [] : [`unheard:${unheard}`]),
    ...troubles.map(({ trouble, at }) => `${trouble}:${at}`),
  ].join(' ');
}

/** Reads {@link planText} back. @throws TypeError naming the wrong part */
export function parsePlan(text: string): Plan {
  return text
    .split(' ')
    .filter((part) => part !== '')
    .reduce((plan, part) => withPart(plan, part), NO_TROUBLE);
}

function withPart(plan: Plan, part: string): Plan {
  const [name = '', value = ''] = part.split(':');
  const count = /^[1-9]\d*$/.test(value) ? Number(value) : undefined;
  const reading = READINGS.find((one) => one === value);
  if (part === 'turns') return { ...plan, turns: true };
  if (name === 'records' && /^\d+(,\d+)*$/.test(value)) return { ...plan, records: value.split(',').map(Number) };
  if (name === 'reading' && reading !== undefined) return { ...plan, reading };
  if (count !== undefined && name === 'batch') return { ...plan, batch: count };
  if (count !== undefined && name === 'twice') return { ...plan, twice: count };
  if (count !== undefined && name === 'unheard') return { ...plan, unheard: count };
  if (count !== undefined && isTrouble(name))
    return { ...plan, troubles: [...plan.troubles, { trouble: name, at: count }] };
  throw new TypeError(
    `explore: \`replay\` has a part \`${part}\` that is none of a plan. Give it as the story said it.`,
  );
}
