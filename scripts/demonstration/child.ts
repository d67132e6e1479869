import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { mallocEnvironment, nodeFlags } from '../../src/processes/face-start.ts';

/** One line of an event log in JSON. */
export type LogLine = { readonly event: string; readonly time: string } & Readonly<Record<string, unknown>>;

export const parseLogLine = (line: string): LogLine | null => {
  if (!line.startsWith('{')) return null;
  try {
    const parsed = JSON.parse(line) as LogLine;
    return typeof parsed.event === 'string' ? parsed : null;
  } catch {
    return null;
  }
};

export type Child = {
  readonly process: ChildProcess;
  /** Ends it with SIGTERM, and with SIGKILL when it does not go. */
  stop(): Promise<void>;
};

/**
 * A process of the demo. Its event log arrives line by line; anything else it prints goes to our standard error. A
 * death that nobody ordered ends the demo: nothing is covered up.
 */
export const startChild = (
  name: 'terminal' | 'agent',
  file: string,
  args: readonly string[],
  onLine: (stream: 'stdout' | 'stderr', line: string) => void,
  environment: NodeJS.ProcessEnv = process.env,
): Child => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...nodeFlags[name], file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...environment, ...mallocEnvironment },
  });
  for (const stream of ['stdout', 'stderr'] as const) {
    const readable = child[stream];
    if (readable !== null) createInterface({ input: readable }).on('line', (line) => onLine(stream, line));
  }
  // Also when the demo itself dies of an error: no agent or terminal stays behind.
  process.once('exit', () => child.kill('SIGKILL'));
  let ordered = false;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.once('exit', (code, signal) => {
    if (ordered) return;
    process.stderr.write(`${name} ended by itself (${signal ?? code})\n`);
    process.exit(1);
  });
  return {
    process: child,
    stop: async () => {
      ordered = true;
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 3_000);
      await gone;
      clearTimeout(force);
    },
  };
};
