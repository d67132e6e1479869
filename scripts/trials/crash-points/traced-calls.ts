import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/* The system calls by which a process changes what lies on a disk or tells its neighbours, seen and cut off by strace. */

/** Whatever writes, brings to the disk, names or removes. Not what makes an empty file: no injection of strace tells it apart. */
export const changing = [
  ...['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'copy_file_range', 'sendfile'],
  ...['fsync', 'fdatasync', 'truncate', 'ftruncate'],
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'unlink', 'unlinkat', 'mkdir', 'mkdirat', 'rmdir'],
].join();

/** What makes a file that was not there, too: told apart by its line. */
export const changingOrMaking = `${changing},openat`;
const makesNone = /^(?:\d+ +)?openat\((?!.*O_CREAT)/;

/** Of these a file that stands there is told by its path alone, however often others are written between. */
const onOpenFile = /^(write|pwrite64|fsync|fdatasync|ftruncate)$/;

/** One call: by which thread of the process, what, on which file, and the how many-th of these it is in one visit. */
export type CrashPoint = {
  readonly role: string;
  readonly call: string;
  /** How many calls of this name this thread had made, this one with them. */
  readonly nth: number;
  /** Of a file that keeps its name: below the trial's folder, and the how many-th of these calls on it this one is */
  readonly onFile: { readonly path: string; readonly nth: number } | null;
  /** The same in every visit: `fdatasync disk-journal/journal.sqlite-wal (MainThread-1) 2`. */
  readonly name: string;
};

/** A thread by its name and its place among those of that name: numbers change with every start. */
export const threadsOf = (pid: number): ReadonlyMap<number, string> => {
  const counted = new Map<string, number>();
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  return new Map(
    threads
      .toSorted((a, b) => a - b)
      .map((tid) => {
        const name = readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trim();
        const place = (counted.get(name) ?? 0) + 1;
        counted.set(name, place);
        return [tid, `${name}-${place}`];
      }),
  );
};

/** What a line that opens something says of it: the descriptor and the path */
const opened = /openat.* = (\d+)<(\/[^>]*)>$/;
/** A name in a folder that the process holds open, as src/agent/oqs-folder/ has its names */
const byDescriptor = /\/proc\/self\/fd\/(\d+)(?=\/)/g;

/** A file below the trial's own folder, without what is another in every visit; null: a socket, a pipe, another's file. */
const fileOf = (line: string, below: string): string | null => {
  const at = line.indexOf(`${below}/`);
  if (at < 0 || line.includes('<UNIX-STREAM:')) return null;
  const [path = ''] = line.slice(at + below.length + 1).split(/[>"]/);
  return path
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '#')
    .replaceAll(/\.[0-9a-f]{8,}\./g, '.#.')
    .replaceAll(/\d{3,}/g, '#');
};

/** Whom a line tells something: of sockets alone, by their kind. */
const neighbourOf = (line: string): string | null => {
  const [, kind] = /<(UNIX-STREAM|TCP):\[/.exec(line) ?? [];
  if (kind === undefined) return null;
  return kind === 'TCP' ? 'to its page' : 'to its neighbour';
};

/** The first of a child of this trial: its log, its errors, its parent */
const ownDescriptors = 4;

/**
 * What strace takes for the paths of a process's sockets, of those that stand now: to whom it connected itself, and its pages. Not
 * whoever connects to a socket of its own, such as this trial that asks for its health.
 */
const neighboursOf = (pid: number): readonly string[] => {
  const inodesIn = (table: string, wanted: (columns: readonly string[]) => boolean, at: number): readonly string[] =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(wanted)
      .map((columns) => columns[at] ?? '');
  const isEstablished = '01';
  const inodes = new Set([
    ...inodesIn('unix', (columns) => columns.length === 7, 6),
    ...inodesIn('tcp', (columns) => columns[3] === isEstablished, 9),
  ]);
  return readdirSync(`/proc/${pid}/fd`)
    .filter((descriptor) => Number(descriptor) >= ownDescriptors)
    .map((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`))
    .filter((path) => inodes.has(/^socket:\[(\d+)\]$/.exec(path)?.[1] ?? ''));
};
export const pathsOf = (watched: Watched, pid: number): readonly string[] =>
  watched === 'files' ? [] : neighboursOf(pid).flatMap((path) => ['-P', path]);

/** What of its calls counts: those that change `files`, or those that tell `neighbours` */
export type Watched = 'files' | 'neighbours';

/** The points of a trace, in order. `below`: the trial's folder; `roleOf`: the threads that the trace numbers. */
export const pointsOf = (
  trace: string,
  below: string,
  roleOf: (tid: number | null) => string,
  watched: Watched = 'files',
): readonly CrashPoint[] => {
  const calls = new Map<string, number>();
  const names = new Map<string, number>();
  const next = (counted: Map<string, number>, key: string): number => {
    counted.set(key, (counted.get(key) ?? 0) + 1);
    return counted.get(key) ?? 0;
  };
  const folders = new Map<string, string>();
  return trace.split('\n').flatMap((told) => {
    const line = told.replaceAll(byDescriptor, (name, descriptor: string) => folders.get(descriptor) ?? name);
    const [, descriptor, path] = opened.exec(line) ?? [];
    if (descriptor !== undefined && path !== undefined) folders.set(descriptor, path);
    const [, tid, call] = /^(?:(\d+) +)?(\w+)\(/.exec(line) ?? [];
    if (call === undefined || makesNone.test(line)) return [];
    const role = roleOf(tid === undefined ? null : Number(tid));
    const nth = next(calls, `${role} ${call}`);
    const file = watched === 'files' ? fileOf(line, below) : neighbourOf(line);
    if (file === null) return [];
    const what = `${call} ${file} (${role})`;
    const onIt = next(names, what);
    const keepsName = watched === 'files' && onOpenFile.test(call) && !file.includes('#');
    const onFile = keepsName ? { path: file, nth: onIt } : null;
    return [{ role, call, nth, onFile, name: `${what} ${onIt}` }];
  });
};

/**
 * How many calls later than when it was watched a point of a program is looked for, one try after the other until it is met: a
 * thread that writes a file also wakes another by a call of the same name, now and then once more or less.
 */
export const shifts: readonly number[] = [0, 0, 1, -1, 2, -2, 0, 1, -1, 3, -3];
