import { copyFileSync, fstatSync, ftruncateSync, openSync } from 'node:fs';

/** Two files of it: weeks of a clinic's events. Bytes */
const largest = 20_000_000;
/** A minute of the worst log is far less than that. ms */
const lookEveryMs = 60_000;

/**
 * An event log on the disk, where no journald takes it: open for appending, to be handed to a child. The former part lies
 * beside it under `.1`. Emptied in place: who writes goes on at the beginning.
 */
export const openLogFile = (path: string): number => {
  const file = openSync(path, 'a', 0o600);
  setInterval(() => {
    if (fstatSync(file).size < largest) return;
    copyFileSync(path, `${path}.1`);
    ftruncateSync(file);
  }, lookEveryMs).unref();
  return file;
};
