import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { scratchFolder, testsTogetherIn } from './scripts/house/tests-together.ts';

/** Small files that take long, mostly by waiting: at the end of a run they would keep one processor idle. */
const longest = ['flow/demo-once', 'screens/browser-walk', 'contract/face-verifier', 'scripts/leaks'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => longest.some((name) => moduleId.includes(name));
    const sorted = await super.sort(files);
    // Those that share a process last, one behind the other: short ones, which leave no processor idle at the end.
    const place = (file: TestSpecification): number => (isLong(file) ? 0 : file.project.config.isolate ? 1 : 2);
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}

const together = testsTogetherIn(import.meta.dirname);

const scratch = scratchFolder('/dev/shm');
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
/** Both take the rest from below. */
const project = (name: string, test: object) => ({ extends: true as const, test: { name, ...test } });

export default defineConfig({
  test: {
    projects: [
      project('apart', {
        ...{ include: ['test/**/*.test.{ts,tsx}'], exclude: together },
        setupFiles: ['./scripts/house/bounded-programs.ts', './scripts/house/random-seed.ts'],
      }),
      project('together', {
        ...{ include: together, isolate: false, env: { TMPDIR: scratch } },
        setupFiles: ['./scripts/house/random-seed.ts'],
      }),
    ],
    // Two more than there are processors: most of the time somewhere a program, a camera or a finger is waited for.
    maxWorkers: availableParallelism() + 2,
    // Bounds, not timings: tests that start real processes wait for events, and the machine may be busy.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    passWithNoTests: false,
    sequence: { sequencer: LongestFirst },
    // Hundreds of programs are started: each finds what one before it has compiled, which is half of what a start costs.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, '.cache/compiled') },
  },
});
