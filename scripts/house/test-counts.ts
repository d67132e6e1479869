import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Counts what the runner saw: "passed failed skipped" into the file named by UKETSUKE_TEST_COUNTS, and the reason of
 * each skipped test on the terminal. A file that could not be loaded and an error outside of a test count as failures.
 */
export default class TestCounts implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    const skipped: string[] = [];
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failedHere += 1;
        else skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
      if (failedHere === 0 && !module.ok()) failedHere = 1;
      failed += failedHere;
    }
    for (const name of skipped) console.log(`skipped: ${name}`);
    const file = process.env.UKETSUKE_TEST_COUNTS;
    if (file !== undefined) writeFileSync(file, `${passed} ${failed} ${skipped.length}\n`);
  }
}
