import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * Sends the signal to a process that is still there, and waits until it is gone; after `forceMs`, where given, it is killed.
 */
export const endChild = async (
  child: ChildProcess | null,
  signal: NodeJS.Signals,
  forceMs: number | null = null,
): Promise<void> => {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const force = forceMs === null ? undefined : setTimeout(() => child.kill('SIGKILL'), forceMs);
  await ended;
  clearTimeout(force);
};
