import { expect, test } from 'vitest';
import { describeFailures, describeTime } from './where-time-went.ts';

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

test('the end of a run names what failed, in order, each with its error in a line', () => {
  const failure = { project: 'local', file: 'test/local/one.test.ts' };

  expect(
    describeFailures([
      { ...failure, test: 'reads', message: '\u001b[31mexpected 2\u001b[39m\n  to be 0' },
      { ...failure, message: 'x'.repeat(400) },
    ]).split('\n'),
  ).toEqual([
    'What failed:',
    '  local  test/local/one.test.ts > reads: expected 2 to be 0',
    `  local  test/local/one.test.ts: ${'x'.repeat(300)}`,
  ]);
  const many = Array.from({ length: 22 }, (_, index) => ({ ...failure, test: `${index}`, message: 'no' }));
  expect(describeFailures(many).split('\n').slice(-2)).toEqual([
    '  local  test/local/one.test.ts > 19: no',
    '  and 2 more',
  ]);
});
