import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // All processors; by itself vitest leaves one of them idle, which on two is half the machine.
    maxWorkers: availableParallelism(),
    // Bounds, not timings: tests that start real processes wait for events, and the machine may be busy.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    passWithNoTests: false,
    setupFiles: ['./scripts/house/bounded-programs.ts', './scripts/house/random-seed.ts'],
  },
});
