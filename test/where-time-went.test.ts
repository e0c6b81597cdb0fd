import { expect, test } from 'vitest';
import { describeTime } from './where-time-went.ts';

test('the end of a run names set-up, loading, waiting and the slowest ten files', () => {
  const quick = Array.from({ length: 11 }, (_, index) => ({
    project: 'unit',
    file: `test/quick-${index}.test.ts`,
    testsMs: index * 10,
    loadingMs: 100,
  }));
  const slow = { project: 'local', file: 'test/local/slow.test.ts', testsMs: 61_000, loadingMs: 500 };

  expect(describeTime({ wallMs: 100_000, setUpMs: 12_340, idle: 0.25, files: [...quick, slow] }).split('\n')).toEqual([
    'Where the time went: 100.0 s',
    '    12.3 s  set-up before the first file',
    '     1.6 s  loading, summed over 12 files',
    "    25.0 s  waiting: 25 % of the processors' time was idle",
    'Slowest files:',
    '    61.5 s  local  test/local/slow.test.ts',
    '     0.2 s  unit  test/quick-10.test.ts',
    '     0.2 s  unit  test/quick-9.test.ts',
    '     0.2 s  unit  test/quick-8.test.ts',
    '     0.2 s  unit  test/quick-7.test.ts',
    '     0.2 s  unit  test/quick-6.test.ts',
    '     0.1 s  unit  test/quick-5.test.ts',
    '     0.1 s  unit  test/quick-4.test.ts',
    '     0.1 s  unit  test/quick-3.test.ts',
    '     0.1 s  unit  test/quick-2.test.ts',
  ]);
});
