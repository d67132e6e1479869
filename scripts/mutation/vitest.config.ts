import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The tests in the order in which run-mutation.ts names them: those that load little first, where the first that fails ends it. */
const places = (process.env.UKETSUKE_MUTATION_TESTS ?? '').split(',');
const rank = ({ moduleId }: TestSpecification): number => {
  const found = places.findLastIndex((place) => moduleId.includes(`/${place}`));
  return moduleId.endsWith('.test.ts') && places[found]?.endsWith('.test.ts') ? found - places.length : found;
};

class CheapFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

/**
 * Thousands of scripts for each of thousands of changes took most of the time, and nearly every change that they noticed an
 * example beside them had noticed before.
 */
const tooMany = ['test/core/visit/session-properties.test.ts'];

/** Of the folder that is mutated, its own tests: files and folders, told by run-mutation.ts. */
export default defineConfig({
  test: {
    include: places.map((place) => (place.endsWith('.ts') ? place : `${place}/**/*.test.ts`)),
    exclude: tooMany,
    setupFiles: ['./scripts/house/random-seed.ts'],
    sequence: { sequencer: CheapFirst },
    testTimeout: 60_000,
  },
});
