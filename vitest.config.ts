import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // One more than there are processors: about half of the time somewhere a program is waited for.
    maxWorkers: availableParallelism() + 1,
    // Bounds, not timings: tests that start real processes wait for events, and the machine may be busy.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    passWithNoTests: false,
    setupFiles: ['./scripts/house/bounded-programs.ts', './scripts/house/random-seed.ts'],
  },
});
