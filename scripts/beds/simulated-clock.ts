import type { Clock } from '../../src/ports/clock.ts';

/**
 * When simulated time begins: a Wednesday in mid-month, ten in the morning in Japan. A test on simulated time says the
 * same on every day that it is run on; one about a month's end, midnight or a new year sets its own moment.
 */
export const simulatedStartMs = Date.parse('2026-11-18T10:00:00+09:00');

/** Time that passes only when told to. The wall clock may be set apart from the monotonic one. */
export class SimulatedClock implements Clock {
  #monotonicMs = 1_000;
  #wallMs: number;
  #wakes: { readonly atMs: number; readonly wake: () => void }[] = [];

  constructor(wallMs = simulatedStartMs) {
    this.#wallMs = wallMs;
  }

  now() {
    return { monotonicMs: this.#monotonicMs, wallMs: this.#wallMs };
  }

  wakeAt(monotonicMs: number, wake: () => void): () => void {
    const entry = { atMs: monotonicMs, wake };
    this.#wakes.push(entry);
    return () => {
      this.#wakes = this.#wakes.filter((other) => other !== entry);
    };
  }

  /** Time goes on without a turn of the event loop; whoever is due is woken by the next `advance`. */
  skip(ms: number): void {
    this.#step(this.#monotonicMs + ms);
  }

  setWall(wallMs: number): void {
    this.#wallMs = wallMs;
  }

  /** Wakes whoever is due, in order; between two wakes other work (promises, threads) gets `settle`. */
  async advance(ms: number, settle: () => Promise<void> = breathe): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    for (;;) {
      await settle();
      const next = this.#wakes.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#wakes = this.#wakes.filter((other) => other !== next);
      this.#step(Math.max(this.#monotonicMs, next.atMs));
      next.wake();
    }
    this.#step(untilMs);
    await settle();
  }

  #step(toMs: number): void {
    this.#wallMs += toMs - this.#monotonicMs;
    this.#monotonicMs = toMs;
  }
}

/** A few turns of the event loop, so that promises and finished cryptography get their say. */
export const breathe = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/**
 * Waits for real work (cryptography, a thread, a socket, another process); fails by name after the deadline. After the
 * first turns it looks every 2 ms: without that pause it takes a whole core from those that it waits for.
 */
export const until = async (what: string, condition: () => boolean, deadlineMs = 120_000): Promise<void> => {
  const endMs = performance.now() + deadlineMs;
  for (let turn = 0; !condition(); turn++) {
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise<void>((resolve) => (turn < 200 ? setImmediate(resolve) : setTimeout(resolve, 2)));
  }
};
