import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  type CrashPoint,
  changing,
  changingOrMaking,
  pathsOf,
  pointsOf,
  threadsOf,
  type Watched,
} from './traced-calls.ts';

/* strace at a process that runs: it watches, or makes it die at one call. */

/** `hears`: every line of it, where nothing else takes them */
const attached = async (args: readonly string[], hears?: (line: string) => void): Promise<ChildProcess> => {
  const strace = spawn('strace', ['-yy', '-s', '0', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  const lines = createInterface({ input: strace.stderr }).on('line', (line) => {
    if (said.length < 3) said.push(line);
    hears?.(line);
  });
  // It says that it holds the process, or why it does not.
  await Promise.race([once(lines, 'line'), once(strace, 'exit')]);
  if (strace.exitCode !== null) throw new Error(`strace: ${said.join('')}`);
  return strace;
};

/** Watches every thread of a process until it is told to stop; answers the points. */
export const watchCalls = async (
  pid: number,
  below: string,
  watched: Watched,
): Promise<() => Promise<readonly CrashPoint[]>> => {
  const file = join(below, 'trace');
  const paths = pathsOf(watched, pid);
  const strace = await attached([
    '-f',
    '-e',
    `trace=${watched === 'files' ? changingOrMaking : changing}`,
    ...paths,
    '-o',
    file,
    '-p',
    String(pid),
  ]);
  return async () => {
    const roles = threadsOf(pid);
    const ended = once(strace, 'exit');
    strace.kill('SIGINT');
    await ended;
    return pointsOf(readFileSync(file, 'utf8'), below, (tid) => roles.get(tid ?? pid) ?? 'gone', watched);
  };
};

/** strace, made ready to let one process die. */
type Cutting = {
  /** To be called once the process has ended, or is to live on */
  readonly end: () => Promise<void>;
  /** Its points at which it died, by its name in this visit; null: it lives */
  readonly cut: () => string | null;
  /** What it showed of the points before, the one that was cut off with them */
  readonly shown: () => readonly CrashPoint[];
};

const ended = async (strace: ChildProcess): Promise<void> => {
  if (strace.exitCode !== null || strace.signalCode !== null) return;
  const over = once(strace, 'exit');
  strace.kill('SIGINT');
  await over;
};
const threadOf = (pid: number, role: string): number => {
  const [tid] = [...threadsOf(pid)].find(([, each]) => each === role) ?? [];
  if (tid === undefined) throw new Error(`no thread ${role}`);
  return tid;
};

/**
 * The process dies at this call, before it takes effect: strace kills it as the thread enters it. For calls that can be counted
 * alone: those on a file that keeps its name, or on its sockets.
 */
export const cutAt = async (
  pid: number,
  below: string,
  { role, call, nth, onFile }: CrashPoint,
  watched: Watched,
): Promise<Cutting> => {
  const file = join(below, 'cut');
  const strace = await attached([
    ...['-e', `trace=${changing}`, '-e', `inject=${call}:signal=SIGKILL:when=${onFile?.nth ?? nth}`],
    ...(onFile === null ? pathsOf(watched, pid) : ['-P', join(below, onFile.path)]),
    ...['-o', file, '-p', String(threadOf(pid, role))],
  ]);
  const shown = () => pointsOf(readFileSync(file, 'utf8'), below, () => role, watched);
  return {
    shown,
    cut: () => {
      const trace = readFileSync(file, 'utf8');
      if (!trace.includes('killed by SIGKILL')) return null;
      const lines = trace.split('\n').filter((line) => /^\w+\(/.test(line));
      const before = pointsOf(lines.slice(0, -1).join('\n'), below, () => role, watched);
      // What was cut off may be none of the points: the last call before it was not.
      return shown().length === before.length ? null : (shown().at(-1)?.name ?? null);
    },
    end: () => ended(strace),
  };
};

/**
 * The process is stopped after each call of this thread, and goes on; it dies there once the call that has just taken effect is
 * `wanted`. For files whose names are others in every visit, among calls of which there are never equally many: nothing is
 * counted, the name alone decides. A death after one call is a death before the next one: the making of a file counts here.
 */
export const cutAfter = async (
  pid: number,
  below: string,
  role: string,
  wanted: (name: string) => boolean,
): Promise<Cutting> => {
  let shown: readonly CrashPoint[] = [];
  let cut: string | null = null;
  const lines: string[] = [];
  const strace = await attached(
    [
      ...['-e', `trace=${changingOrMaking}`, '-e', `inject=${changingOrMaking}:signal=SIGSTOP`],
      ...['-p', String(threadOf(pid, role))],
    ],
    (line) => {
      if (/^\w+\(/.test(line)) lines.push(line);
      if (!line.includes('--- stopped by SIGSTOP ---') || cut !== null) return;
      const points = pointsOf(lines.join('\n'), below, () => role);
      const fresh = points.slice(shown.length).map(({ name }) => name);
      shown = points;
      cut = fresh.find(wanted) ?? null;
      process.kill(pid, cut === null ? 'SIGCONT' : 'SIGKILL');
    },
  );
  return {
    shown: () => shown,
    cut: () => cut,
    end: async () => {
      await ended(strace);
      // Between its last stop and the end of strace it may have been stopped once more; or it ended by itself.
      if (cut === null && existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGCONT');
    },
  };
};
