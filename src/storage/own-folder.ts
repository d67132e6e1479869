import { lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Process ids mean something among those who share this; machines that are not Linux have one. */
const namespace = (): string => {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
};

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
};

/**
 * A folder of this process in the system's place for such, mode 0700: `<name>-<namespace>-<pid>-…`. Those of the same name
 * whose process was killed before it could take them away go first; another user's, or what only looks like one, stays. Throws as the file system does.
 */
export const makeOwnFolder = (name: string): string => {
  const beginning = `${name}-${namespace()}-`;
  for (const each of readdirSync(tmpdir())) {
    const pid = each.startsWith(beginning) ? /^(\d+)-\w{6}$/.exec(each.slice(beginning.length))?.[1] : undefined;
    if (pid === undefined || isRunning(Number(pid))) continue;
    const path = join(tmpdir(), each);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() && found.uid === process.getuid?.()) rmSync(path, { recursive: true, force: true });
  }
  return mkdtempSync(join(tmpdir(), `${beginning}${process.pid}-`));
};
