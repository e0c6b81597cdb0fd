import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../shared/runtime/outcome.ts';
import { type Call, Schedule } from '../../../shared/runtime/schedule.ts';

interface Placed {
  readonly offset: number;
  readonly unit: string;
}

/** A schedule of one record for each unit that is named, and what its calls came to. */
function scheduleOf(units: string, { maxRecords = 1, alone = [] as readonly number[] } = {}) {
  const outcomes = new Map<number, Outcome>();
  const rules = {
    unitOf: ({ unit }: Placed) => unit,
    maxRecords,
    goesAlone: ({ offset }: Placed) => alone.includes(offset),
  };
  const schedule = new Schedule<Placed>(
    [...units].map((unit, offset) => ({ offset, unit })),
    rules,
  );
  const end = (call: Call<Placed> | undefined, ...ended: readonly (readonly [number, Outcome])[]) => {
    if (call === undefined) throw new Error('no call to end');
    for (const [offset, outcome] of ended) outcomes.set(offset, outcome);
    schedule.ended(call, outcomes);
  };
  return { schedule, end };
}

const handled: Outcome = { type: 'handled' };
const retry: Outcome = { type: 'retry' };
const offsets = (call: Call<Placed> | undefined) => call?.map(({ offset }) => offset);

/** Offsets of the calls that may be made now. */
function startable({ schedule }: ReturnType<typeof scheduleOf>): (readonly number[] | undefined)[] {
  const calls = [];
  for (let call = schedule.next(); call !== undefined; call = schedule.next()) calls.push(offsets(call));
  return calls;
}

describe('a schedule of single records', () => {
  test('starts the first record of each unit, the earliest first', () => {
    expect(startable(scheduleOf('abacb'))).toEqual([[0], [1], [3]]);
  });

  test('goes on with a unit once its record is settled, the earliest of all that may start', () => {
    const one = scheduleOf('abacb');
    const [a, b] = [one.schedule.next(), one.schedule.next()];

    one.end(b, [1, handled]);
    one.end(a, [0, { type: 'duplicate' }]);

    expect(startable(one)).toEqual([[2], [3], [4]]);
  });

  test('starts a record again that has no outcome yet', () => {
    const one = scheduleOf('ab');

    one.end(one.schedule.next());

    expect(startable(one)).toEqual([[0], [1]]);
  });

  test('starts nothing behind a record that stays unsettled, and tells what waits for it', () => {
    const one = scheduleOf('abaa');
    one.end(one.schedule.next(), [0, handled]);
    one.end(one.schedule.next(), [1, handled]);
    one.end(one.schedule.next(), [2, retry]);

    expect(one.schedule.waitingFor({ offset: 2, unit: 'a' }).map(({ offset }) => offset)).toEqual([2, 3]);
    expect(startable(one)).toEqual([]);
  });

  test('starts nothing any more when it is stopped', () => {
    const one = scheduleOf('aba');
    const call = one.schedule.next();

    one.schedule.stop();
    one.end(call, [0, handled]);

    expect(startable(one)).toEqual([]);
  });
});

describe('a schedule of calls with several records', () => {
  test('fills a call in offset order, whatever the units', () => {
    const one = scheduleOf('abacb', { maxRecords: 4 });
    const call = one.schedule.next();

    expect(offsets(call)).toEqual([0, 1, 2, 3]);
    one.end(call, [0, handled], [1, handled], [2, handled], [3, handled]);
    expect(startable(one)).toEqual([[4]]);
  });

  test('hands over a record that goes alone in a call of its own, and keeps only its unit out of the call before', () => {
    const one = scheduleOf('abcbc', { maxRecords: 9, alone: [1] });
    const first = one.schedule.next();
    expect(offsets(first)).toEqual([0, 2, 4]);
    one.end(first, [0, handled], [2, handled], [4, handled]);

    const second = one.schedule.next();
    expect(offsets(second)).toEqual([1]);
    one.end(second, [1, handled]);

    expect(startable(one)).toEqual([[3]]);
  });

  test('goes on behind what was settled of a call, and halts the unit of the record that was not', () => {
    const one = scheduleOf('abab', { maxRecords: 9 });

    one.end(one.schedule.next(), [0, handled], [1, retry]);

    expect(startable(one)).toEqual([[2]]);
  });
});
