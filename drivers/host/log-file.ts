import { copyFileSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';

/** Two files of it: weeks of a clinic's events. Bytes */
const largest = 20_000_000;
/** A minute of the worst log is far less than that. ms */
const lookEveryMs = 60_000;

/* What a log cannot have (a full disk, a file that another program holds) must not end the process that it tells of. */
const unlessRefused = (work: () => void): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};

/**
 * The former part goes beside it under `.1`; it is emptied in place, so that who writes goes on at the beginning. While the
 * copy is refused it grows to twice `most` bytes, then it is emptied without one.
 */
export const shortenLog = (path: string, most = largest): void =>
  void unlessRefused(() => {
    const { size } = statSync(path);
    if (size < most) return;
    if (!unlessRefused(() => copyFileSync(path, `${path}.1`)) && size < 2 * most) return;
    // By its name: Windows shortens no file through a handle that may only append.
    truncateSync(path);
  });

/** A log on the disk, where no journald takes it. `file`: open for appending, to be handed to a child */
type LogFile = { readonly file: number; readonly write: (line: string) => void };

/** Where nothing can be opened, nothing is kept. */
export const openLogFile = (path: string): LogFile => {
  let file = -1;
  if (!unlessRefused(() => (file = openSync(path, 'a', 0o600)))) file = openSync(devNull, 'a');
  setInterval(() => shortenLog(path), lookEveryMs).unref();
  return { file, write: (line) => void unlessRefused(() => writeSync(file, line)) };
};
