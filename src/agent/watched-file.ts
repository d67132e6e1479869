import { unwatchFile, watchFile } from 'node:fs';

/** Asking the disk twice a second costs nothing and also sees changes on shared folders, where events do not arrive. */
const pollMs = 500;

/**
 * The content of files that may change while the agent runs. `load` runs once at the start (and may throw: nobody can
 * run with that); later a bad content is told to `onProblem` and the last good one stays.
 */
export class WatchedFile<T> {
  readonly #paths: readonly string[];
  #value: T;
  #problem: string | null = null;
  #loading: Promise<void> = Promise.resolve();

  constructor(paths: readonly string[], value: T) {
    this.#paths = paths;
    this.#value = value;
  }

  static async open<T>(
    paths: readonly string[],
    load: () => Promise<T>,
    onChange: (value: T) => void,
  ): Promise<WatchedFile<T>> {
    const file = new WatchedFile(paths, await load());
    const reload = (): void => {
      file.#loading = file.#loading.then(async () => {
        try {
          file.#value = await load();
          file.#problem = null;
        } catch (error) {
          file.#problem = error instanceof Error ? error.message : 'unreadable';
        }
        onChange(file.#value);
      });
    };
    for (const path of paths) watchFile(path, { interval: pollMs, persistent: false }, reload);
    return file;
  }

  get value(): T {
    return this.#value;
  }

  /** What is wrong with the newest content, for staff and log; null when it is the one in force. */
  get problem(): string | null {
    return this.#problem;
  }

  close(): void {
    for (const path of this.#paths) unwatchFile(path);
  }
}
