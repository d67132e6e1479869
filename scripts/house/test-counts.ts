import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { HangWatch } from './hang-watch.ts';

/**
 * Counts what the runner saw: "passed failed skipped" into the file named by UKETSUKE_TEST_COUNTS, and the reason of
 * each skipped test on the terminal. A file that could not be loaded and an error outside of a test count as failures,
 * and so does each test that hangs.
 */
export default class TestCounts extends HangWatch implements Reporter {
  readonly #ended = { passed: 0, failed: 0, skipped: 0 };

  constructor() {
    super((hung) => this.#write(this.#ended.passed, this.#ended.failed + hung, this.#ended.skipped));
  }

  override onTestCaseResult(test: TestCase): void {
    super.onTestCaseResult(test);
    const { state } = test.result();
    if (state !== 'pending') this.#ended[state] += 1;
  }

  override onTestRunEnd(modules: readonly TestModule[] = [], unhandledErrors: readonly unknown[] = []): void {
    super.onTestRunEnd();
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
    this.#write(passed, failed, skipped.length);
  }

  #write(passed: number, failed: number, skipped: number): void {
    const file = process.env.UKETSUKE_TEST_COUNTS;
    if (file !== undefined) writeFileSync(file, `${passed} ${failed} ${skipped}\n`);
  }
}
