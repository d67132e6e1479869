import { Rng } from './rng.ts';

/** One run of a process, from its start to its end or its kill. What it began does not outlive it. */
export class Life {
  readonly process: string;
  readonly number: number;
  dead = false;
  /** It does nothing before this instant: stopped, or waiting for a disk. monotonic ms */
  pausedUntilMs = 0;
  /** Steps outside of the process so far: where it can be killed */
  steps = 0;
  /** Dies at this step, before or after it took effect */
  killAt: { readonly step: number; readonly after: boolean; readonly died: () => void } | null = null;
  /** Each step outside takes up to so long, ms: others come between. 0: it is over at once */
  stretchMs = 0;

  constructor(process: string, number: number) {
    this.process = process;
    this.number = number;
  }
}

type Due = { readonly atMs: number; readonly order: number; readonly life: Life | null; run: (() => void) | null };

/** A promise that nobody keeps: what a dead process waits for. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {});

const attempt = <T>(work: () => T): Promise<T> => {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error);
  }
};

/** Node's own round of ticks and promises; the only way to have it between two events without a turn of the event loop. */
const runTicks = (process as unknown as { readonly _tickCallback: () => void })._tickCallback;

/** A dead process goes on to its next wait: whatever it would do until then is held back by whoever would do it. */
export class Killed extends Error {}

/**
 * Simulated time and everything that is due in it: one event after the other, and between two of them all promises come to
 * their end. Nothing else moves, so that the same seed makes the same story.
 */
export class Kernel {
  nowMs = 1_000;
  /** Whose work runs now; null: the world's own */
  current: Life | null = null;
  /** What goes into no story of its own: latencies, ids */
  rng: Rng;
  /** Signatures and seals by the real algorithms, on other threads: time stands still until they are made */
  isReal: boolean;
  pendingReal = 0;
  events = 0;
  #heap: Due[] = [];
  #order = 0;
  #hashA = 0x811c9dc5;
  #hashB = 0x9e3779b9;
  /** The last things that happened, for the story of a failure */
  tape: string[] | null = null;

  constructor(words: string, isReal: boolean) {
    this.rng = new Rng(words);
    this.isReal = isReal;
  }

  /** Becomes part of the run's hash. */
  note(what: string): void {
    let a = this.#hashA ^ (this.nowMs | 0);
    let b = this.#hashB;
    for (let at = 0; at < what.length; at += 1) {
      const letter = what.charCodeAt(at);
      a = Math.imul(a ^ letter, 0x01000193);
      b = Math.imul(b + letter, 0x85ebca6b) ^ (a >>> 15);
    }
    this.#hashA = a;
    this.#hashB = b;
    this.tape?.push(`${(this.nowMs / 1_000).toFixed(3)} s  ${what}`);
  }

  get hash(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#hashA) + hex(this.#hashB);
  }

  /** Runs as this life's work, unless it is dead by then. Returns how to call it off. */
  at(atMs: number, life: Life | null, run: () => void): () => void {
    const due: Due = { atMs, order: this.#order, life, run };
    this.#order += 1;
    this.#push(due);
    return () => {
      due.run = null;
    };
  }

  after(ms: number, life: Life | null, run: () => void): () => void {
    return this.at(this.nowMs + ms, life, run);
  }

  /** Whether this step is the last of a life: before it takes effect, or after. null: it is not */
  dies(life: Life): 'before' | 'after' | null {
    life.steps += 1;
    if (life.killAt?.step !== life.steps) return null;
    return life.killAt.after ? 'after' : 'before';
  }

  /** At the step that was its last. */
  die(life: Life): void {
    const { killAt } = life;
    life.dead = true;
    life.killAt = null;
    killAt?.died();
  }

  /**
   * A step outside of the process that runs now: a disk, a card, a signature on another thread. Others may come between,
   * and the process may die at it; then nobody hears of its end.
   */
  outside<T>(work: () => T): Promise<T> {
    const life = this.current;
    if (life === null) return attempt(work);
    if (life.dead) return never();
    const last = this.dies(life);
    if (last !== null) {
      if (last === 'after') work();
      this.die(life);
      return never();
    }
    if (life.stretchMs === 0) return attempt(work);
    return new Promise((resolve, reject) => {
      this.after(this.rng.between(0, life.stretchMs), life, () => attempt(work).then(resolve, reject));
    });
  }

  /** Until `isOver`, asked between two events, says so or nothing is due any more. */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          // The first round of promises belongs to whoever began all this.
          runTicks();
          for (;;) {
            if (this.pendingReal > 0) return void setImmediate(turn);
            if (isOver() || !this.step()) return resolve();
          }
        } catch (error) {
          reject(error);
        }
      };
      setImmediate(turn);
    });
  }

  /** What is due next, if it is due by then. Between two of them all promises come to their end. false: nothing is */
  step(untilMs = Number.POSITIVE_INFINITY): boolean {
    if ((this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY) > untilMs) return false;
    const due = this.#pop();
    if (due === undefined) return false;
    const { life, run } = due;
    if (run === null || life?.dead) return true;
    this.nowMs = Math.max(this.nowMs, due.atMs);
    if (life !== null && life.pausedUntilMs > this.nowMs) {
      this.#push({ ...due, atMs: life.pausedUntilMs });
      return true;
    }
    this.events += 1;
    this.current = life;
    try {
      run();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
    runTicks();
    this.current = null;
    return true;
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Due;
      if (parent.atMs < due.atMs || (parent.atMs === due.atMs && parent.order < due.order)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = due;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      const left = heap[below] as Due;
      const right = heap[below + 1];
      if (right !== undefined && (right.atMs < left.atMs || (right.atMs === left.atMs && right.order < left.order)))
        below += 1;
      const child = heap[below] as Due;
      if (last.atMs < child.atMs || (last.atMs === child.atMs && last.order < child.order)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return top;
  }
}

/** The world that runs now: for the stand-ins of Node's own modules, which nobody can hand it to. */
let running: Kernel | null = null;
export const setKernel = (kernel: Kernel | null): void => {
  running = kernel;
};
export const kernelNow = (): Kernel | null => running;
