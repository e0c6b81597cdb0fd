import { Random } from '../../shared/testing/random.ts';

/** What a record makes of its handler. The last three never reach it. */
export type Script = 'succeed' | 'flaky' | Poison;

/** Seven kinds of records that can never succeed. */
export const POISON = ['refuse', 'fail', 'exit', 'hang', 'notJson', 'wrongShape', 'noKey'] as const;
export type Poison = (typeof POISON)[number];

/** A record to be produced. Partition and offset are the broker's business. */
export interface PlannedRecord {
  readonly id: string;
  readonly key: string;
  readonly value: string;
  readonly does: Script;
}

/** How many of a thousand records are of a kind; each is there at least once. Those that end a process cost seconds each. */
const OF_THOUSAND: Readonly<Record<Exclude<Script, 'succeed'>, number>> = {
  flaky: 2,
  refuse: 2,
  fail: 0.8,
  notJson: 1.2,
  wrongShape: 1.2,
  noKey: 0.8,
  exit: 0.06,
  hang: 0.02,
};
const KEYS = 211;

/** The records of a run, in the order in which they are produced. */
export function planRecords(seed: number, count: number): readonly PlannedRecord[] {
  const random = new Random(seed, 'everything');
  const does = new Map<number, Script>();
  for (const [script, share] of Object.entries(OF_THOUSAND) as [Exclude<Script, 'succeed'>, number][]) {
    for (let left = Math.max(1, Math.round((share * count) / 1_000)); left > 0; left--) {
      let index = 0;
      do index = random.between(0, count - 1);
      while (does.has(index));
      does.set(index, script);
    }
  }
  return Array.from({ length: count }, (_, index) => {
    const script = does.get(index) ?? 'succeed';
    const id = `r${index}`;
    return { id, key: `k${random.between(0, KEYS - 1)}`, value: textOf(id, script), does: script };
  });
}

function textOf(id: string, does: Script): string {
  switch (does) {
    case 'notJson':
      return `{ ${id}`;
    case 'wrongShape':
      return JSON.stringify({ id: [id] });
    default:
      return JSON.stringify({ id, does });
  }
}

/** The id in a value, whatever its form. */
export function idIn(value: string): string {
  return /r\d+/.exec(value)?.[0] ?? '';
}

/** Whether a record must end with a letter rather than handled. */
export function isPoison({ does }: Pick<PlannedRecord, 'does'>): boolean {
  return POISON.some((kind) => kind === does);
}
