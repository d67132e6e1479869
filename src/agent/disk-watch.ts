import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FailureCode } from '../core/failure.ts';
import { describeError, type EventLog } from '../log/event-log.ts';

/** Below this the next visit may not find room: a visit writes some 100 KB, the write-ahead log up to 4 MB. */
const leastFreeBytes = 8_000_000;
/** How soon a disk that fills, or has room again, is noticed. ms */
const lookMs = 3_000;

/** SQLite's primary result codes (sqlite.org/rescode.html): READONLY, FULL */
const bySqlite: Readonly<Record<number, FailureCode>> = { 8: 'agent.disk-read-only', 13: 'agent.disk-full' };
const bySystem: Readonly<Record<string, FailureCode>> = {
  ENOSPC: 'agent.disk-full',
  EDQUOT: 'agent.disk-full',
  EROFS: 'agent.disk-read-only',
  EACCES: 'agent.disk-read-only',
  EPERM: 'agent.disk-read-only',
  EDATABASE: 'agent.database-away',
};

/** Options of a file system that takes no writes any more, whatever `access` says of it: ext4 after an error. */
const refusing = ['ro', 'emergency_ro', 'shutdown'];

/** The file systems of this machine, each line as proc_pid_mountinfo(5) has it; none where there is no such file. */
const mountLines = (): readonly string[] => {
  // On Windows anybody may make C:\proc: what it says is nobody's word.
  if (process.platform !== 'linux') return [];
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  } catch {
    return [];
  }
};

/** Whether the file system on which a folder lies refuses writes. Reads no more than the system's own list of mounts. */
export const refusesWrites = (folder: string, lines: readonly string[] = mountLines()): boolean => {
  const { dev } = statSync(folder);
  const device = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  return lines
    .map((line) => line.split(' '))
    .filter((fields) => fields[2] === device)
    .some((fields) => (fields.at(-1) ?? '').split(',').some((option) => refusing.includes(option)));
};

/** What a failed write on the journal's disk is called. */
const diskFaultOf = (error: unknown): FailureCode => {
  const { code, errcode } = error as { readonly code?: string; readonly errcode?: number };
  return bySystem[code ?? ''] ?? bySqlite[(errcode ?? 0) & 0xff] ?? 'agent.disk-failed';
};

export type DiskWatch = {
  /** Why what terminals send could not be kept; null = it can */
  readonly fault: FailureCode | null;
  /** A write has failed: told at once, and looked after until a write succeeds. */
  failed(error: unknown): FailureCode;
  close(): void;
};

/** What the staff's figures or the next visit only gain by: a disk that refuses it is told, and whoever calls goes on. */
export const keepIfPossible = (disk: Pick<DiskWatch, 'failed'>, write: () => void): void => {
  try {
    write();
  } catch (error) {
    disk.failed(error);
  }
};

/** Work that may write into the journal. null: its disk refuses, which is told. Throws whatever is another's fault. */
export const unlessDiskRefuses = async <T>(
  disk: Pick<DiskWatch, 'failed'>,
  work: () => Promise<T>,
): Promise<T | null> => {
  try {
    return await work();
  } catch (error) {
    const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
    if (typeof errcode !== 'number' && !(typeof code === 'string' && code in bySystem)) throw error;
    disk.failed(error);
    return null;
  }
};

/**
 * Whether the journal can keep what comes: seen before the write that fails, by room and mount, without writing; once
 * something is wrong, a small write of the journal itself tells when it is over.
 */
export const watchDisk = (options: {
  readonly journalPath: string;
  readonly log: EventLog;
  readonly changed: () => void;
  /** One small durable write; throws while the disk refuses. */
  readonly tryWrite: () => void;
}): DiskWatch => {
  const { journalPath, log, changed, tryWrite } = options;
  const folder = dirname(journalPath);
  let fault: FailureCode | null = null;
  let closed = false;

  const set = (now: FailureCode | null): void => {
    if (now === fault || closed) return;
    fault = now;
    if (now === null) log.event('part.found', { part: 'store' });
    else log.event('part.lost', { part: 'store', code: now });
    changed();
  };
  const found = async (): Promise<FailureCode | null> => {
    try {
      await access(folder, constants.W_OK);
      if (refusesWrites(folder)) return 'agent.disk-read-only';
      const { bavail, bsize } = await statfs(folder);
      if (bavail * bsize < leastFreeBytes) return 'agent.disk-full';
      if (fault !== null) tryWrite();
      return null;
    } catch (error) {
      return diskFaultOf(error);
    }
  };
  /** SQLite calls each refused write an I/O error; the folder says whether the disk has become read-only. */
  const nameOf = (error: unknown): FailureCode => {
    const code = diskFaultOf(error);
    if (code !== 'agent.disk-failed') return code;
    try {
      accessSync(folder, constants.W_OK);
      return refusesWrites(folder) ? 'agent.disk-read-only' : code;
    } catch (refused) {
      return diskFaultOf(refused);
    }
  };
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    set(await found());
    looking = false;
  };
  void look();
  const round = setInterval(() => void look(), lookMs);
  return {
    get fault() {
      return fault;
    },
    failed: (error) => {
      const code = nameOf(error);
      log.event('process.error', describeError(error));
      set(code);
      return code;
    },
    close: () => {
      closed = true;
      clearInterval(round);
    },
  };
};
