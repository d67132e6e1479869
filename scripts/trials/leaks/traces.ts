import { readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { filesBelow, type Needle, searchContent, type searchFor } from '../../beds/canary-search.ts';
import { changedRuns } from '../../beds/process-memory.ts';

/* Where traces of a visit may lie, looked at again and again: what is byte for byte as it was has been searched. */

type Search = ReturnType<typeof searchFor>;

const readIfThere = (path: string): Buffer | null => {
  try {
    return readFileSync(path);
  } catch (error) {
    // A store's file of a moment
    if (['ENOENT', 'EACCES', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
};

/** A process and all that descend from it */
export const familyOf = (pid: number): readonly number[] => {
  const children = (readIfThere(`/proc/${pid}/task/${pid}/children`)?.toString() ?? '').split(' ').filter(Boolean);
  const tasks = readdirSync(`/proc/${pid}/task`).filter((task) => Number(task) !== pid);
  const ofThreads = tasks.flatMap((task) =>
    (readIfThere(`/proc/${pid}/task/${task}/children`)?.toString() ?? '').split(' ').filter(Boolean),
  );
  return [pid, ...[...children, ...ofThreads].flatMap((each) => familyOf(Number(each)))];
};

/** Files that a process holds open and that no folder shows: removed ones, shared memory */
const hiddenFilesOf = (pid: number): readonly string[] =>
  readdirSync(`/proc/${pid}/fd`)
    .map((descriptor) => `/proc/${pid}/fd/${descriptor}`)
    .filter((path) => {
      try {
        const stats: Stats = statSync(path);
        return stats.isFile() && (stats.nlink === 0 || readlinkSync(path).startsWith('/memfd:'));
      } catch {
        return false; // closed meanwhile
      }
    });

/** Files up to this size are looked at as a whole whenever they have changed. bytes */
const wholeBytes = 32 << 10;

export class FileTraces {
  readonly #search: Search;
  readonly #known = new Map<string, Buffer>();

  constructor(search: Search) {
    this.#search = search;
  }

  /** `name`: by which it is known again. What is as it was has nothing new. */
  look(name: string, bytes: Buffer): readonly Needle[] {
    const before = this.#known.get(name);
    if (before?.equals(bytes) === true) return [];
    this.#known.set(name, Buffer.from(bytes));
    if (bytes.length <= wholeBytes || before === undefined) return searchContent(this.#search, bytes);
    const changed = [...changedRuns(bytes, before)].flatMap((run) => searchContent(this.#search, run));
    // Whatever begins in a part that is as it was
    return [...new Set([...changed, ...this.#search(bytes)])];
  }

  *below(
    folder: string,
    passes: (path: string) => boolean,
  ): Generator<readonly [path: string, found: readonly Needle[]]> {
    for (const path of filesBelow(folder, passes)) {
      const bytes = readIfThere(path);
      if (bytes !== null) yield [path, [...this.look(path, bytes), ...this.look(`name ${path}`, Buffer.from(path))]];
    }
  }

  *heldOpen(pid: number): Generator<readonly [path: string, found: readonly Needle[]]> {
    for (const path of hiddenFilesOf(pid)) {
      const bytes = readIfThere(path);
      if (bytes !== null) yield [path, this.look(path, bytes)];
    }
  }

  /** Everything as a whole, also what has not changed for long: of large files only pieces were opened until now. */
  *whole(
    folder: string,
    passes: (path: string) => boolean,
  ): Generator<readonly [path: string, found: readonly Needle[]]> {
    for (const path of filesBelow(folder, passes)) {
      const bytes = readIfThere(path);
      if (bytes !== null) yield [path, searchContent(this.#search, bytes)];
    }
  }
}
