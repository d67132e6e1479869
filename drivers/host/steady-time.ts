import { uptime } from 'node:os';

/** The system is asked no oftener than this: it takes the reading of a file. By a clock that stands still while the machine sleeps. ms */
const askAgainMs = 10;
let asked = { atMs: Number.NEGATIVE_INFINITY, uptimeMs: 0 };

/** Goes on while the machine sleeps, and nobody sets it. ms since power-on */
export const steadyMs = (): number => {
  const nowMs = performance.now();
  if (nowMs - asked.atMs >= askAgainMs) asked = { atMs: nowMs, uptimeMs: uptime() * 1_000 };
  return asked.uptimeMs;
};
