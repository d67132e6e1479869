import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // Two cores are enough for two files at a time; tests that start real processes wait for events, with this as bound.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    passWithNoTests: false,
  },
});
