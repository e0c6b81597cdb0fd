import { expect, test } from 'vitest';
import { runCase } from './run.ts';
import type { SetName } from './settings.ts';
import { timeline } from './timeline.ts';

// A file of its own, so that the first life is the first of its process: what the runtime loads when it is first needed must be there.
test.each(['keys', 'base'] satisfies SetName[])(
  'the first life of a process is the one that a later one lives (%s)',
  async (set) => {
    const [first, later] = [await runCase({ seed: 77, set }, true), await runCase({ seed: 77, set }, true)];

    expect(first.history.length).toBeGreaterThan(50);
    expect(timeline(first, 10_000)).toBe(timeline(later, 10_000));
  },
);
