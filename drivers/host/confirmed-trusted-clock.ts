import { uptime } from 'node:os';
import {
  longestLifeMs,
  type MachineTime,
  type TimeKnowledge,
  type TrustedTime,
  tellTime,
} from '../../src/core/trusted-time.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { TrustedClock } from '../../src/ports/trusted-clock.ts';

type TrustedClockOptions = {
  /** The machine's clocks */
  readonly clock: Clock;
  /** Not before this: when the software was made, first days of certificates. ms since 1970 UTC */
  readonly floorsMs: readonly number[];
  /** The last time seen in an earlier run, where it was written down; also a floor */
  readonly lastSeenMs?: number | null;
  /** Whether a gap of weeks since then is doubted: at the end that others take their time from */
  readonly doubtsLongGaps?: boolean;
  /** Whether the system's clock is set from the network; asked again every minute. Absent: nobody knows. */
  readonly isSynchronised?: () => Promise<boolean>;
  /** Since power-on, sleep included, ms; another one in tests */
  readonly steadyMs?: () => number;
};

/** How soon a clock that was set, or a synchronisation, is noticed. ms */
const lookAgainMs = 2_000;
const askAgainMs = 60_000;
/** Whoever keeps the time hears of it this often. ms */
const tellAgainMs = 3_600_000;

/** The machine's clock held within what is known of the time. The system's clock itself is not touched. */
export const createTrustedClock = (options: TrustedClockOptions): TrustedClock => {
  const { clock, lastSeenMs = null, isSynchronised, steadyMs = () => uptime() * 1_000 } = options;
  const machine = (): MachineTime => ({ steadyMs: steadyMs(), wallMs: clock.now().wallMs });
  const listeners = new Set<(time: TrustedTime) => void>();
  const softwareMs = Math.max(0, ...options.floorsMs);
  let known: TimeKnowledge = {
    floorMs: Math.max(softwareMs, lastSeenMs ?? 0),
    ceilingMs: softwareMs + longestLifeMs,
    lastSeenMs: options.doubtsLongGaps ? lastSeenMs : null,
    began: machine(),
    word: null,
    synchronised: false,
  };
  let told = tellTime(known, machine());
  let callOff = (): void => {};
  let toldAtMs = told.wallMs;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let closed = false;

  const look = (): TrustedTime => {
    const time = tellTime(known, machine());
    const isNews =
      time.certainty !== told.certainty || time.fault !== told.fault || time.wallMs - tellAgainMs > toldAtMs;
    told = time;
    if (isNews) {
      toldAtMs = time.wallMs;
      for (const listener of [...listeners]) listener(time);
    }
    return time;
  };

  const ask = async (): Promise<void> => {
    if (isSynchronised === undefined) return;
    const synchronised = await isSynchronised();
    if (closed || synchronised === known.synchronised) return;
    // A synchronised clock is right whatever was seen before; one that was and no longer is begins from there.
    known = synchronised
      ? { ...known, synchronised, floorMs: softwareMs }
      : { ...known, synchronised, began: machine(), lastSeenMs: null };
    look();
  };
  const round = (): void => {
    if (closed) return;
    look();
    const nowMs = clock.now().monotonicMs;
    if (nowMs - askedAtMs >= askAgainMs) {
      askedAtMs = nowMs;
      void ask();
    }
    callOff = clock.wakeAt(nowMs + lookAgainMs, round);
  };
  round();

  return {
    get time() {
      return look();
    },
    now: () => ({ monotonicMs: clock.now().monotonicMs, wallMs: look().wallMs }),
    wakeAt: (monotonicMs, wake) => clock.wakeAt(monotonicMs, wake),
    machineWallMs: () => clock.now().wallMs,
    hear: (wallMs, doubted) => {
      // A time before our own software was made is nobody's word.
      if (wallMs < softwareMs) return;
      known = { ...known, word: { wallMs, steadyMs: steadyMs(), doubted } };
      look();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      listener(look());
      return () => listeners.delete(listener);
    },
    close: () => {
      closed = true;
      callOff();
      listeners.clear();
    },
  };
};
