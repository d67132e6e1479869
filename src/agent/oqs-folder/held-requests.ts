import { folderFailureOf } from './write-oqs-file.ts';

/** What somebody holds open is tried again this often. ms */
const againMs = 2_000;
/** A program that only writes or reads a file has let go of it by then; one that holds it longer is told. ms */
const patienceMs = 5_000;

/**
 * Requests with which another program is not done (Windows lets nobody in, or lets nobody rename over it or take it away):
 * each waits by itself, the others are answered meanwhile. And those that have their answer and could not be taken away:
 * they are not asked again, and their answer is not written again under the eyes of the レセコン.
 */
export class HeldRequests {
  readonly #held = new Map<string, { readonly sinceMs: number; readonly nextMs: number }>();
  readonly #answered = new Map<string, { readonly what: string; readonly over: () => void }>();

  /** `atMs`: monotonic, here and below */
  isDue(name: string, atMs: number): boolean {
    return (this.#held.get(name)?.nextMs ?? 0) <= atMs;
  }

  /** false: the error is of another kind. */
  hold(name: string, error: unknown, atMs: number): boolean {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    // One file that may not be opened, in a folder that could be listed.
    if (folderFailureOf(error) !== 'files.in-use' && !['EPERM', 'EACCES'].includes(code)) return false;
    this.wait(name, atMs);
    return true;
  }

  wait(name: string, atMs: number): void {
    this.#held.set(name, { sinceMs: this.#held.get(name)?.sinceMs ?? atMs, nextMs: atMs + againMs });
  }

  /** `what`: what stands in it, as a hash; `over`: what is to be done once it is taken away */
  answered(name: string, what: string, over: () => void = () => {}): void {
    this.#answered.set(name, { what, over });
  }

  hasAnswer(name: string, what: string): boolean {
    return this.#answered.get(name)?.what === what;
  }

  /** Answers what is to be done now that it is taken away. */
  free(name: string): () => void {
    const { over } = this.#answered.get(name) ?? { over: () => {} };
    this.#held.delete(name);
    this.#answered.delete(name);
    return over;
  }

  /** How many are held for longer than anybody needs; those that lie there no more are forgotten. */
  count(names: ReadonlySet<string>, atMs: number): number {
    for (const name of [...this.#held.keys(), ...this.#answered.keys()]) if (!names.has(name)) this.free(name);
    return [...this.#held.values()].filter(({ sinceMs }) => atMs - sinceMs >= patienceMs).length;
  }
}
