import type { Call } from './counterpart.ts';

/**
 * Starts of records that came too early: before everything that was produced before them into their partition was done, or had
 * its letter.
 *
 * @param produced - ids of one partition, in the order in which they were produced
 * @param lettered - those that end with a letter instead
 */
export function startedTooEarly(
  calls: readonly Call[],
  produced: readonly string[],
  lettered: readonly string[] = [],
): string[] {
  const done = new Set(lettered);
  const early: string[] = [];
  for (const { path, id } of calls) {
    const place = produced.indexOf(id);
    if (place < 0) continue;
    if (path === '/started') {
      const open = produced.slice(0, place).find((earlier) => !done.has(earlier));
      if (open !== undefined) early.push(`${id} before ${open}`);
    }
    if (path === '/done') done.add(id);
  }
  return early;
}

/** Ids that were done, each once, in the order in which they first were. */
export function doneOnce(calls: readonly Call[], produced: readonly string[]): string[] {
  const own = new Set(produced);
  return [...new Set(calls.filter(({ path, id }) => path === '/done' && own.has(id)).map(({ id }) => id))];
}
