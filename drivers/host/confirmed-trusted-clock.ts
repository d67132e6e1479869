import { hourMs } from '../../src/core/time-units.ts';
import {
  longestLifeMs,
  type MachineTime,
  type TimeKnowledge,
  type TrustedTime,
  tellTime,
} from '../../src/core/trusted-time.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { TrustedClock } from '../../src/ports/trusted-clock.ts';
import { steadyMs as sincePowerOnMs } from './steady-time.ts';

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
/** The system is asked this often whether its clock is set from the network: a program is run for it. ms */
const askAgainMs = 60_000;
/** Whoever keeps the time hears of it this often. ms */
const tellAgainMs = hourMs;

class ConfirmedClock implements TrustedClock {
  readonly #clock: TrustedClockOptions['clock'];
  readonly #isSynchronised: TrustedClockOptions['isSynchronised'];
  readonly #steadyMs: () => number;
  readonly #listeners = new Set<(time: TrustedTime) => void>();
  readonly #softwareMs: number;
  #known: TimeKnowledge;
  #told: TrustedTime;
  /** What `#told` was told of */
  #lookedAt: MachineTime & { readonly knew: TimeKnowledge };
  #callOff = (): void => {};
  #toldAtMs: number;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: TrustedClockOptions) {
    const { clock, lastSeenMs = null, isSynchronised, steadyMs = sincePowerOnMs } = options;
    this.#clock = clock;
    this.#isSynchronised = isSynchronised;
    this.#steadyMs = steadyMs;
    this.#softwareMs = Math.max(0, ...options.floorsMs);
    this.#known = {
      floorMs: Math.max(this.#softwareMs, lastSeenMs ?? 0),
      ceilingMs: this.#softwareMs + longestLifeMs,
      lastSeenMs: options.doubtsLongGaps ? lastSeenMs : null,
      began: this.#machine(),
      word: null,
      synchronised: false,
    };
    this.#lookedAt = { ...this.#machine(), knew: this.#known };
    this.#told = tellTime(this.#known, this.#lookedAt);
    this.#toldAtMs = this.#told.wallMs;
    this.#round();
  }

  get time(): TrustedTime {
    return this.#look();
  }

  now(): ReturnType<Clock['now']> {
    return { monotonicMs: this.#clock.now().monotonicMs, wallMs: this.#look().wallMs };
  }

  wakeAt(monotonicMs: number, wake: () => void): () => void {
    return this.#clock.wakeAt(monotonicMs, wake);
  }

  machineWallMs(): number {
    return this.#clock.now().wallMs;
  }

  hear(wallMs: number, doubted: boolean): void {
    // A time before our own software was made is nobody's word.
    if (wallMs < this.#softwareMs) return;
    this.#known = { ...this.#known, word: { wallMs, steadyMs: this.#steadyMs(), doubted } };
    this.#look();
  }

  subscribe(listener: (time: TrustedTime) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#look());
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    this.#callOff();
    this.#listeners.clear();
  }

  #machine(): MachineTime {
    return { steadyMs: this.#steadyMs(), wallMs: this.#clock.now().wallMs };
  }

  #look(): TrustedTime {
    const machine = this.#machine();
    // Within a millisecond many ask.
    const { knew, steadyMs, wallMs } = this.#lookedAt;
    if (knew === this.#known && machine.steadyMs === steadyMs && machine.wallMs === wallMs) return this.#told;
    this.#lookedAt = { ...machine, knew: this.#known };
    const time = tellTime(this.#known, machine);
    const isNews =
      time.certainty !== this.#told.certainty ||
      time.fault !== this.#told.fault ||
      time.wallMs - tellAgainMs > this.#toldAtMs;
    this.#told = time;
    if (isNews) {
      this.#toldAtMs = time.wallMs;
      for (const listener of [...this.#listeners]) listener(time);
    }
    return time;
  }

  async #ask(): Promise<void> {
    if (this.#isSynchronised === undefined) return;
    const synchronised = await this.#isSynchronised();
    if (this.#closed || synchronised === this.#known.synchronised) return;
    // A synchronised clock is right whatever was seen before; one that was and no longer is begins from there.
    this.#known = synchronised
      ? { ...this.#known, synchronised, floorMs: this.#softwareMs }
      : { ...this.#known, synchronised, began: this.#machine(), lastSeenMs: null };
    this.#look();
  }

  #round(): void {
    if (this.#closed) return;
    this.#look();
    const nowMs = this.#clock.now().monotonicMs;
    if (nowMs - this.#askedAtMs >= askAgainMs) {
      this.#askedAtMs = nowMs;
      void this.#ask();
    }
    this.#callOff = this.#clock.wakeAt(nowMs + lookAgainMs, () => this.#round());
  }
}

/** The machine's clock held within what is known of the time. The system's clock itself is not touched. */
export const createTrustedClock = (options: TrustedClockOptions): TrustedClock => new ConfirmedClock(options);
