import { Random } from '../../shared/testing/random.ts';

/** What a record makes of its handler; `undecodable` never reaches it. */
export type Script = 'succeed' | 'flaky' | 'fail' | 'refuse' | 'exit' | 'undecodable';

/** A record to be produced; its offset follows from the plan, since nobody else writes to the topic. */
export interface PlannedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
  readonly does: Script;
}

const SHORT_RUN = 1_000;
/** One record in so many is of that kind. `exit` costs a lease each of four times, so there are few, and none in a short run. */
const ONE_IN = { refuse: 100, fail: 500, undecodable: 400, flaky: 200, exit: 8_000 } as const;

/**
 * The records of a run in slices: one for each fault, and a last one. Each kind of poison is there at least once (`exit` not in
 * a short run), and each slice holds a record that is refused, so that letters are due throughout.
 */
export function planRecords(
  seed: number,
  records: number,
  partitions: number,
  faults: number,
): readonly (readonly PlannedRecord[])[] {
  const random = new Random(seed, 'records');
  const does = new Map<number, Script>();
  const starts = Array.from({ length: faults + 2 }, (_, slice) => Math.floor((slice * records) / (faults + 1)));
  const slices = starts.slice(1).map((end, slice) => ({ start: starts[slice] ?? 0, end }));
  for (const { start, end } of slices) {
    const length = end - start;
    does.set(start + Math.floor(length / 3) + random.between(0, Math.max(0, Math.floor(length / 3) - 1)), 'refuse');
  }
  for (const [script, oneIn] of Object.entries(ONE_IN) as [keyof typeof ONE_IN, number][]) {
    const least = script === 'exit' && records < SHORT_RUN ? 0 : 1;
    for (let left = Math.max(least, Math.round(records / oneIn)); left > 0; left--) {
      let index = 0;
      do index = random.between(0, records - 1);
      while (does.has(index));
      does.set(index, script);
    }
  }
  const planned = (index: number): PlannedRecord => {
    const script = does.get(index) ?? 'succeed';
    const id = `r${index}`;
    return {
      partition: index % partitions,
      offset: Math.floor(index / partitions),
      key: `k${index % 97}`,
      value: script === 'undecodable' ? `{ ${id}` : JSON.stringify({ id, does: script }),
      does: script,
    };
  };
  return slices.map(({ start, end }) => Array.from({ length: end - start }, (_, index) => planned(start + index)));
}

/** Whether a record must end with a letter rather than handled. */
export function isPoison({ does }: Pick<PlannedRecord, 'does'>): boolean {
  return does !== 'succeed' && does !== 'flaky';
}
