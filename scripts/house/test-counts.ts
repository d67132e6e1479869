import { writeFileSync } from 'node:fs';
import type { UserConsoleLog } from 'vitest';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { HangWatch } from './hang-watch.ts';

/** Only some tests are asked for by name: the others are skipped on purpose. */
const isNarrowed = process.argv.some((word) => /^(-t|--testNamePattern)/.test(word));

const firstLine = (error: unknown): string =>
  (error instanceof Object && 'message' in error ? String(error.message) : String(error ?? 'no error told')).split(
    '\n',
    1,
  )[0] ?? '';

/**
 * Counts what the runner saw: "passed failed skipped" into the file named by UKETSUKE_TEST_COUNTS, and at the end tells
 * each failed test by name with its error's first line (who sees the end of a long log alone sees what failed), and each
 * skipped one with the reasons that its file gave (`console.warn('skipped: …')`: what is missing and what
 * would run it). A file that skips and gives no reason counts as a failure, and so does one that could not be loaded, an
 * error outside of a test and each test that hangs; whose process died is told by name.
 */
export default class TestCounts extends HangWatch implements Reporter {
  readonly #ended = { passed: 0, failed: 0, skipped: 0 };

  constructor() {
    super((hung) => this.#write(this.#ended.passed, this.#ended.failed + hung, this.#ended.skipped));
  }

  /** By the id of the file, in the order in which they were told. */
  readonly #reasons = new Map<string, Set<string>>();

  onUserConsoleLog({ content, taskId = '' }: UserConsoleLog): void {
    for (const [, reason = ''] of content.matchAll(/^skipped: (.+)$/gm)) {
      const file = taskId.split('_').slice(0, 1).join();
      this.#reasons.set(file, (this.#reasons.get(file) ?? new Set()).add(reason));
    }
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
    const told = unhandledErrors.map((error) => `an error outside of a test (${firstLine(error)})`);
    // One that ended its process took along all that were to follow in it.
    if (unhandledErrors.length > 0) told.push(...this.notEnded.map((name) => `${name} (begun, and did not end)`));
    for (const module of modules) {
      let failedHere = 0;
      const reasons = [...(this.#reasons.get(module.id.split('_').slice(0, 1).join()) ?? [])].join('; ');
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') passed += 1;
        else {
          const name = `${module.relativeModuleId} > ${test.fullName}`;
          if (result.state === 'failed') {
            failedHere += 1;
            told.push(`${name} (${firstLine(result.errors[0])})`);
            continue;
          }
          const reason = ('note' in result ? result.note : undefined) ?? reasons;
          skipped.push(`${name} (${reason})`);
          if (reason !== '' || isNarrowed) continue;
          told.push(`${name} (it is skipped and does not say why: console.warn('skipped: …') or context.skip('…'))`);
          failedHere += 1;
        }
      }
      if (failedHere === 0 && !module.ok()) {
        failedHere = 1;
        told.push(`${module.relativeModuleId} (${firstLine(module.errors()[0])})`);
      }
      failed += failedHere;
    }
    for (const name of skipped) console.log(`skipped: ${name}`);
    for (const name of told) console.log(`failed: ${name}`);
    this.#write(passed, failed, skipped.length);
  }

  #write(passed: number, failed: number, skipped: number): void {
    const file = process.env.UKETSUKE_TEST_COUNTS;
    if (file !== undefined) writeFileSync(file, `${passed} ${failed} ${skipped}\n`);
  }
}
