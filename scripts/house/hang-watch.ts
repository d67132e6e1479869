import { readdirSync, readFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** `parents`: id → parent's id. Everything that `root` started, directly or not. */
export const descendantsOf = (root: number, parents: ReadonlyMap<number, number>): number[] => {
  const children = [...parents].filter(([, parent]) => parent === root).map(([id]) => id);
  return children.flatMap((id) => [id, ...descendantsOf(id, parents)]);
};

/** Of every process that Linux shows; none elsewhere. */
const parentsNow = (): Map<number, number> => {
  const parents = new Map<number, number>();
  let names: string[] = [];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    // No /proc: then nothing can be said of other processes.
  }
  for (const name of names) {
    try {
      // "id (program) state parent …"; a program's name may hold anything, brackets included.
      const parent = readFileSync(`/proc/${name}/stat`, 'latin1').replace(/^.*\)/s, '').trim().split(' ')[1];
      parents.set(Number(name), Number(parent));
    } catch {
      // It ended while we looked.
    }
  }
  return parents;
};

const commandLineOf = (id: number): string => {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 300);
  } catch {
    return '(ended)';
  }
};

/** No test may take longer than this without a word; vitest's own bounds end a test that is not stuck in a call. */
const silenceMs = Number(process.env.UKETSUKE_TEST_SILENCE_SECONDS ?? 600) * 1_000;
const wholeRunMs = Number(process.env.UKETSUKE_TEST_SECONDS ?? 2_280) * 1_000;

/**
 * Ends a run that hangs, and says what hung: the tests that were begun, and the programs that run with their command
 * lines. vitest cannot: a worker that waits in a synchronous call for a program answers nobody.
 */
export class HangWatch implements Reporter {
  readonly #running = new Map<string, string>();
  readonly #onHang: (hung: number) => void;
  readonly #begunAt = performance.now();
  #heardAt = performance.now();
  #timer: NodeJS.Timeout | undefined;

  /** @param onHang told how many tests or files hung, right before the process ends */
  constructor(onHang: (hung: number) => void) {
    this.#onHang = onHang;
  }

  onTestRunStart(): void {
    this.#timer = setInterval(() => this.#look(), 1_000);
  }
  /** Also one that never gets as far as its first test: it hangs, or ends its process, while it is loaded. */
  onTestModuleQueued(module: TestModule): void {
    this.#begin(module.id, module.relativeModuleId);
  }
  onTestModuleEnd(module: TestModule): void {
    this.#end(module.id);
  }
  onTestCaseReady(test: TestCase): void {
    this.#begin(test.id, `${test.module.relativeModuleId} > ${test.fullName}`);
  }
  onTestCaseResult(test: TestCase): void {
    this.#end(test.id);
  }
  onTestRunEnd(): void {
    clearInterval(this.#timer);
  }

  /** What was begun and has not ended: the files first */
  get notEnded(): readonly string[] {
    return [...this.#running.values()];
  }

  #begin(id: string, name: string): void {
    this.#running.set(id, name);
    this.#heardAt = performance.now();
  }
  #end(id: string): void {
    this.#running.delete(id);
    this.#heardAt = performance.now();
  }

  #look(): void {
    const now = performance.now();
    const silent = now - this.#heardAt > silenceMs;
    if (!silent && now - this.#begunAt <= wholeRunMs) return;
    const why = silent ? `no test has ended for ${silenceMs / 1_000} s` : `the run has taken ${wholeRunMs / 1_000} s`;
    console.log(`hang: ${why}; not ended:`);
    for (const name of this.notEnded) console.log(`hang:   ${name}`);
    const programs = descendantsOf(process.pid, parentsNow());
    console.log('hang: programs that run, all of them ended now:');
    for (const id of programs) console.log(`hang:   ${id} ${commandLineOf(id)}`);
    this.#onHang(Math.max(1, this.#running.size));
    for (const id of programs.reverse()) {
      try {
        process.kill(id, 'SIGKILL');
      } catch {
        // It went with its parent.
      }
    }
    process.exit(1);
  }
}
