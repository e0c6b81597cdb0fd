import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { BugHunters } from './bug-hunters.ts';
import { BUG_NAMES, BUGS, type BugName } from './bugs.ts';
import { patched } from './patch-modules.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What needs thousands of runs is left to `npm run test:long`. */
const MOST_RUNS_HERE = 1_200;
const quick = BUG_NAMES.filter((name) => BUGS[name].within <= MOST_RUNS_HERE);

test.each(BUG_NAMES)('%s still fits the code that it breaks', async (name) => {
  for (const patch of BUGS[name].patches) {
    const source = await readFile(`${ROOT}${patch.file}`, 'utf8');
    expect(patched(source, patch)).not.toBe(source);
  }
});

test('a bug that no longer fits is refused, not left out', () => {
  const patch = { file: 'a.ts', find: 'if (held) return;', put: '' };

  expect(() => patched('if (kept) return;', patch)).toThrow('fits 0 places of a.ts');
  expect(() => patched('if (held) return; if (held) return;', patch)).toThrow('fits 2 places of a.ts');
  expect(patched('before if (held)\n  return; after', patch)).toBe('before  after');
});

test('a hunt that fails says why, and the next hunter takes its place', async () => {
  const hunters = new BugHunters(1);
  onTestFinished(() => hunters.end());

  const hunts = [hunters.hunt('no such bug' as BugName), hunters.hunt('settled-before-letter')];

  expect(await Promise.allSettled(hunts)).toMatchObject([
    { status: 'rejected', reason: { name: 'TypeError' } },
    { status: 'fulfilled', value: { bug: 'settled-before-letter' } },
  ]);
});

describe.concurrent('each deliberate bug is found within its number of runs', () => {
  // One core is left to the other test files.
  const hunters = new BugHunters(Math.max(1, availableParallelism() - 1));
  afterAll(() => hunters.end());

  test.each(quick)('%s', async (name) => {
    const { found } = await hunters.hunt(name);

    expect(found).toEqual({ seed: expect.any(Number), property: expect.stringMatching(/^P\d/) });
  });
});
