import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Clock } from '../ports/clock.ts';
import { replaceDurably } from '../storage/rename-durably.ts';
import { startRound } from './rounds.ts';

/** What is looked at until somebody can be served: fine enough for a number of seconds. ms */
const lookMs = 500;
/** A start that took longer waited for something else: a clinic's PC that was still off. ms */
const longestMs = 5 * 60_000;

type StartParts = {
  readonly clock: Clock;
  /** `last-start.json`: read by systemd/device/start-left */
  readonly path: string;
  /** Of this start of the machine; undefined: the system does not tell */
  readonly boot: string | undefined;
  readonly isReady: () => boolean;
  /** Since the machine was switched on */
  readonly upMs?: () => number;
};

const bootIn = (path: string): unknown => {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { boot?: unknown }).boot;
  } catch {
    return undefined;
  }
};

/**
 * Keeps how long this machine took from being switched on until a patient could be served, once for each start of the
 * machine: the screen counts the next one down by it. A disk that takes nothing costs that number alone. Returns how to end it.
 */
export const keepStartTime = ({
  clock,
  path,
  boot,
  isReady,
  upMs = () => uptime() * 1_000,
}: StartParts): (() => void) => {
  // A terminal that begins anew on a machine that runs measures no start of the machine.
  if (boot === undefined || bootIn(path) === boot) return () => {};
  let isOver = false;
  const end = startRound(clock, lookMs, 'at-once', () => {
    // The first look is taken before `end` can be called: with settings of an earlier run a patient can be served at once.
    if (isOver) return end();
    const readyMs = Math.round(upMs());
    isOver = readyMs > longestMs || isReady();
    if (readyMs > longestMs || !isOver) return;
    try {
      replaceDurably(path, JSON.stringify({ boot, readyMs }), 0o644);
    } catch {
      // Nothing to count down by.
    }
  });
  return end;
};
