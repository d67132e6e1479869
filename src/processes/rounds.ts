import type { ServiceNotifier } from '../../drivers/host/systemd-notifier.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Does something again and again, `everyMs` after it was last done; the first time `at-once` or after a whole round.
 * Returns how to end it: what is under way then is not waited for, and nothing follows it.
 */
export const startRound = (
  clock: Clock,
  everyMs: number,
  first: 'at-once' | 'later',
  task: () => Promise<unknown> | unknown,
): (() => void) => {
  let ended = false;
  let callOff = (): void => {};
  const sleep = (): void => {
    if (!ended) callOff = clock.wakeAt(clock.now().monotonicMs + everyMs, () => void round());
  };
  const round = async (): Promise<void> => {
    await task();
    sleep();
  };
  if (first === 'at-once') void round();
  else sleep();
  return () => {
    ended = true;
    callOff();
  };
};

/** Tells the service manager that the process lives, as often as it asks to hear it and whenever `proof` has come. */
export const beatWith = (
  notifier: ServiceNotifier,
  clock: Clock,
  proof: () => Promise<unknown> | unknown = () => {},
): (() => void) => {
  if (notifier.aliveEveryMs === null) return () => {};
  return startRound(clock, notifier.aliveEveryMs, 'at-once', async () => {
    await proof();
    notifier.alive();
  });
};

/** ms */
const collectMs = 120_000;

/**
 * Collects all garbage now and then, where node was started with `--expose-gc`: for a process in which visits leave so little
 * among the old objects that V8 would look for it after thousands of them only.
 */
export const collectNowAndThen = (clock: Clock): (() => void) => {
  const { gc } = globalThis;
  return gc === undefined ? () => {} : startRound(clock, collectMs, 'later', () => gc());
};
