import type { Clock } from '../../../src/ports/clock.ts';
import type { Kernel, Life } from './stand-ins/kernel.ts';

/** A computer: its own wall clock, right or wrong, and one clock that nobody sets. */
export class Machine {
  readonly #kernel: Kernel;
  readonly #startMs: number;
  /** How far its wall clock is off. ms */
  errorMs = 0;
  /** Set from the network: `timedatectl` says yes. Such a clock is never wrong here */
  readonly isSynchronised: boolean;

  constructor(kernel: Kernel, startMs: number, isSynchronised: boolean) {
    this.isSynchronised = isSynchronised;
    this.#kernel = kernel;
    this.#startMs = startMs - kernel.nowMs;
  }

  get steadyMs(): number {
    return this.#kernel.nowMs;
  }

  /** As one run of a process has it */
  clockOf(life: Life): Clock {
    return {
      now: () => {
        const monotonicMs = this.#kernel.nowMs;
        return { monotonicMs, wallMs: this.#startMs + monotonicMs + this.errorMs };
      },
      wakeAt: (atMs, wake) => this.#kernel.at(atMs, life, wake),
    };
  }
}
