import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    coverage: {
      provider: 'v8',
      include: ['shared/**/*.ts', 'infra/**/*.ts', 'functions/**/*.ts', 'cli/**/*.ts'],
      exclude: ['**/*.test.ts'],
      reporter: ['text-summary', 'html'],
    },
    projects: [
      {
        // What needs no server: seconds.
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts', 'functions/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'test/local/**'],
        },
      },
      {
        // End to end, on one local cloud that is started once for the whole run; one file at a time, since machines are small.
        test: {
          name: 'local',
          include: ['test/local/**/*.test.ts'],
          globalSetup: ['test/local/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
