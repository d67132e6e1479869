import { defineConfig } from 'vitest/config';

/** Of the folder that is mutated, its own tests: files and folders, told by run-mutation.ts. */
export default defineConfig({
  test: {
    include: (process.env.UKETSUKE_MUTATION_TESTS ?? '').split(',').map((place) => `${place}/**/*.test.ts`),
    setupFiles: ['./scripts/house/random-seed.ts'],
    testTimeout: 60_000,
  },
});
