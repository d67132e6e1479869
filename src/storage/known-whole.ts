import { readFileSync, rmSync, type Stats, statSync } from 'node:fs';
import { uptime } from 'node:os';
import { replaceDurably } from './rename-durably.ts';

/*
 * Whether a store's pages must be looked at before anybody reads them, which takes the longer the more it holds. What leaves a
 * file of SQLite with broken pages is a disk that lost what it had called durable when the power went, or another hand than
 * ours. Neither has come to a file that was closed in order and has the size and the date it had then; nor, short of another
 * hand, to one whose process was killed on a machine that still runs, for whatever it had written is in the system's memory,
 * and what it had not finished is told by the checksums of the write-ahead log. Such a file is looked at after the start. Any
 * other one, and one in which that look found something, is looked at first.
 */

const recordOf = (path: string): string => `${path}-known`;

/** A second start of a machine takes longer than this. s */
const sameBootS = 5;

/** Which start of this machine it is: by the system's own name, or by the second in which it began. */
const bootNow = (): string => {
  const began = String(Math.round(Date.now() / 1000 - uptime()));
  if (process.platform !== 'linux') return began;
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return began;
  }
};
const isSameBoot = (then: string, now: string): boolean =>
  then === now || (/^\d+$/.test(then) && /^\d+$/.test(now) && Math.abs(Number(then) - Number(now)) <= sameBootS);

const inode = ({ dev, ino }: Stats): string => `${dev} ${ino}`;
const whole = (file: Stats): string => `${inode(file)} ${file.size} ${file.mtimeMs}`;

const write = (path: string, text: string): void => {
  try {
    replaceDurably(recordOf(path), `${text}\n`, 0o600);
  } catch {
    try {
      // A full disk: of which nothing is known, that is looked at first.
      rmSync(recordOf(path), { force: true });
    } catch {
      // A folder of that name, or (Windows) a program that has it open: no reason to serve nobody.
    }
  }
};

/** To be asked before the file is opened; by nobody but the one process that keeps the record. */
export const isKnownWhole = (path: string, boot = bootNow()): boolean => {
  try {
    const [state, ...rest] = readFileSync(recordOf(path), 'utf8').trim().split(' | ');
    const file = statSync(path);
    if (state === 'open') return rest[0] === inode(file) && isSameBoot(rest[1] ?? '', boot);
    const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    return state === 'closed' && log === 0 && rest[0] === whole(file);
  } catch {
    // No record, or no file.
    return false;
  }
};

/**
 * A look reads block by block: 247 reads of the disk a MB, measured with 581 MB that no cache held (16 ms a MB on a virtual machine's
 * disk, 6 out of the cache). A disk of 7,200 turns a minute needs half a turn, 4 ms, for each. ms for each MB
 */
const slowestMs = 1_000;

/** So long a look at all of a store may take before anybody reads it, and its copy before it takes another form. ms */
export const openingMs = (path: string): number => {
  try {
    return Math.ceil((statSync(path).size / 1e6) * slowestMs);
  } catch {
    // There is none yet, or none can be reached: whoever opens it says why.
    return 0;
  }
};

export const noteOpened = (path: string, boot = bootNow()): void =>
  write(path, `open | ${inode(statSync(path))} | ${boot}`);
/** Once it is closed */
export const noteClosed = (path: string): void => write(path, `closed | ${whole(statSync(path))}`);
/** A look found something: the next start looks first, and mends. */
export const noteDoubted = (path: string): void => write(path, 'doubted');
