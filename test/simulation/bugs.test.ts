import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { BUG_NAMES, BUGS } from './bugs.ts';
import { patched } from './patch-modules.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** What needs thousands of runs is left to `npm run simulate -- --bug NAME`. */
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

describe.concurrent('each deliberate bug is found within its number of runs', () => {
  test.each(quick)('%s', { timeout: 120_000 }, async (name) => {
    const flags = ['--bug', name, '--no-shrink', '--lines', '20'];
    const ended = await run(process.execPath, ['test/simulation/simulate.ts', ...flags], { cwd: ROOT }).then(
      () => ({ code: 0, stdout: '' }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
        code,
        stdout: stdout + stderr,
      }),
    );

    expect(ended.stdout).toMatch(/Seed \d+ broke P\d/);
    expect(ended.code).toBe(1);
  });
});
