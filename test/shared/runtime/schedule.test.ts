import { describe, expect, test } from 'vitest';
import { Schedule } from '../../../shared/runtime/schedule.ts';

const records = (...units: string[]) => units.map((unit, offset) => ({ offset, unit }));
const scheduleOf = (all: ReturnType<typeof records>) => new Schedule(all, ({ unit }) => unit);

/** Offsets that may start now. */
function startable(schedule: ReturnType<typeof scheduleOf>): number[] {
  const started: number[] = [];
  for (let next = schedule.next(); next !== undefined; next = schedule.next()) started.push(next.offset);
  return started;
}

describe('a schedule', () => {
  test('starts the first record of each unit, the earliest first', () => {
    expect(startable(scheduleOf(records('a', 'b', 'a', 'c', 'b')))).toEqual([0, 1, 3]);
  });

  test('goes on with a unit once its record is settled, the earliest of all that may start', () => {
    const all = records('a', 'b', 'a', 'c', 'b');
    const schedule = scheduleOf(all);
    startable(schedule);

    schedule.settled(all[1] ?? { offset: 1, unit: 'b' });
    schedule.settled(all[0] ?? { offset: 0, unit: 'a' });

    expect(startable(schedule)).toEqual([2, 4]);
  });

  test('tells what waits for a record that is not settled', () => {
    const all = records('a', 'b', 'a', 'a');
    const schedule = scheduleOf(all);
    startable(schedule);
    schedule.settled(all[0] ?? { offset: 0, unit: 'a' });

    expect(schedule.waitingFor({ offset: 2, unit: 'a' }).map(({ offset }) => offset)).toEqual([2, 3]);
  });

  test('starts nothing any more when it is stopped', () => {
    const all = records('a', 'b', 'a');
    const schedule = scheduleOf(all);
    expect(schedule.next()?.offset).toBe(0);

    schedule.stop();
    schedule.settled({ offset: 0, unit: 'a' });

    expect(startable(schedule)).toEqual([]);
  });
});
