import { defineConfig } from 'vitest/config';

/** The tests that hold decisions: fast, without servers. */
export default defineConfig({
  test: {
    include: [
      'test/shared/decide/**/*.test.ts',
      'test/shared/record/**/*.test.ts',
      'test/infra/local/event-source/**/*.test.ts',
    ],
    // Mutated code runs instrumented, on a machine that does other things too.
    testTimeout: 30_000,
  },
});
