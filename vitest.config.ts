import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/local/longest-first.ts';
import { WhereTimeWent } from './test/where-time-went.ts';

/** Each in a process of its own: they replace modules, count listeners of the process, or are about what a process does first. */
export const ALONE = [
  'functions/**/*.test.ts',
  'test/shared/adapters/system/handler-scope.test.ts',
  'test/shared/connect.test.ts',
  'test/shared/adapters/telemetry/opentelemetry-tracer.test.ts',
  'test/simulation/first-life.test.ts',
];

const UNIT = {
  exclude: ['**/node_modules/**'],
  maxWorkers: availableParallelism(),
  // Only ends what hangs: bundles and synths take long on a busy machine.
  testTimeout: 600_000,
  hookTimeout: 600_000,
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // The file is what `.ci/run` counts.
    reporters: ['default', ['json', { outputFile: 'reports/tests.json' }], new WhereTimeWent()],
    coverage: {
      provider: 'v8',
      include: ['shared/**/*.ts', 'infra/**/*.ts', 'functions/**/*.ts', 'cli/**/*.ts'],
      exclude: ['**/*.test.ts'],
      reporter: ['text-summary', 'html'],
    },
    projects: [
      {
        // What needs no server: many files in one process, which loads CDK and the AWS SDK once.
        test: {
          ...UNIT,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...UNIT.exclude, 'test/local/**', 'test/long/**', ...ALONE],
          isolate: false,
        },
      },
      {
        test: { ...UNIT, name: 'unit-alone', include: ALONE },
      },
      {
        // End to end, on one local cloud that is started once for the whole run. More files side by side than a machine has cores:
        // most of their time is waiting.
        test: {
          name: 'local',
          include: ['test/local/**/*.test.ts'],
          globalSetup: ['test/local/global-setup.ts'],
          setupFiles: ['test/local/end-with-the-run.ts'],
          sequence: { groupOrder: 1 },
          maxWorkers: 4,
          // Limits are there to end what hangs, also on a machine with other work.
          testTimeout: 600_000,
          hookTimeout: 600_000,
          expect: { poll: { timeout: 180_000, interval: 200 } },
        },
      },
      {
        // Too long for every commit: `npm run test:long`.
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          globalSetup: ['test/long/global-setup.ts'],
          sequence: { groupOrder: 2 },
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
